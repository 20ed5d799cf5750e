"""Imports go one way: drawing, then data, then nets, then commands; and every file says what it turns into what."""

import ast
import os
import pkgutil

import pytest

from .. import commands
from ..__main__ import main
from ..paths import TRAIN

ORDER = ("draw", "data", "nets", "commands")
FILES = [os.path.join(folder, name) for folder, _, names in os.walk(TRAIN) for name in names if name.endswith(".py")]


def room(parts):
    return ORDER.index(parts[0]) if parts and parts[0] in ORDER else -1


@pytest.mark.parametrize("path", FILES, ids=[os.path.relpath(path, TRAIN) for path in FILES])
def test_imports_climb_back_nowhere(path):
    here = os.path.relpath(path, TRAIN).split(os.sep)
    tree = ast.parse(open(path).read())
    assert ast.get_docstring(tree), "a file begins with what it does"
    if here[0] not in ORDER:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level]
            there = base + (node.module or "").split(".")
            assert room(there) <= room(here), f"{here} imports {there}"
            assert here[0] != "commands" or there[0] != "commands", "commands do not build on one another"


def test_no_file_is_long():
    for path in FILES:
        assert sum(1 for _ in open(path)) <= 600, path


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(commands.__path__)])
def test_every_command_says_how_it_is_used(name, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.setattr("sys.argv", ["train", name, "--help"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0 and f"python -m train {name}" in capsys.readouterr().out
