"""A command's name and its options -> that command: `python -m train COMMAND`, in the folder `models`."""

import importlib
import pkgutil
import sys

from . import commands


def main():
    names = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        raise SystemExit(f"usage: python -m train COMMAND [options]; COMMAND is one of {', '.join(names)}")
    name = sys.argv.pop(1)
    sys.argv[0] = f"train {name}"
    importlib.import_module(f"{commands.__name__}.{name}").main()


if __name__ == "__main__":
    main()
