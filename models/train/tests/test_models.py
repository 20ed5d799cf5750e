"""Linear heads, the fusion model, and the manifest of the graphs that are shipped; nothing here needs PyTorch."""

import os
import tomllib

import numpy as np
import onnx
import pytest

from ..nets import fusion
from ..nets.graph import region_masks, session, sha256, write_manifest
from ..nets.heads import fit_head, log_odds, pooled, source_levels, source_weights
from ..paths import MODELS


def test_a_head_tells_classes_apart_within_sources():
    rng = np.random.default_rng(0)
    groups, positive = np.repeat(["a", "b", "c"], 40), np.tile([True, False], 60)
    rows = rng.normal(0, 1, (120, 6)).astype(np.float32)
    rows[:, 0] += 3 * positive
    weight = source_weights(groups, positive)
    assert weight.mean() == pytest.approx(1) and weight[positive].sum() == pytest.approx(weight[~positive].sum())
    head = fit_head(rows, positive, weight, groups, 6, 1.0, 3.0)
    assert ((log_odds(head, rows) > 0) == positive).mean() > 0.9
    assert source_levels(groups, positive, 3.0).shape == (120, 4) and source_levels(groups, positive, 0.0).shape[1] == 1


def test_tiles_are_pooled_by_mean_highest_and_deviation():
    tiles = np.array([[[1.0], [3.0]], [[2.0], [2.0]]])
    assert pooled(tiles).tolist() == [[2, 3, 1], [2, 2, 0]] and pooled(tiles, 1).tolist() == [[1, 1, 0], [2, 2, 0]]


def test_regions_weigh_the_middle_and_the_rim_alike():
    assert region_masks(8).mean((1, 2)) == pytest.approx([1, 1])


def test_the_fusion_model_is_built_again_from_its_own_heads(tmp_path):
    with open(os.path.join(MODELS, "manifest.toml"), "rb") as file:
        inputs = next(m for m in tomllib.load(file)["model"] if m["id"] == "fusion")["inputs"]
    shipped, again = os.path.join(MODELS, "fusion.onnx"), str(tmp_path / "fusion.onnx")
    fusion.build(inputs, fusion.kept(shipped, inputs), again, "bonafide fusion")
    readings = np.random.default_rng(0).normal(0, 2, (20, 2 * len(inputs))).astype(np.float32)
    readings[:, len(inputs) :] = np.random.default_rng(1).integers(0, 2, (20, len(inputs)))
    readings[:, : len(inputs)] *= readings[:, len(inputs) :]
    scores = [session(path).run(None, {"readings": readings})[0] for path in (shipped, again)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


def test_a_manifest_keeps_its_other_entries(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"a")
    (tmp_path / "b.onnx").write_bytes(b"b")
    write_manifest(str(tmp_path), ["a", "b"], {"b": ["x.one", "y.two"]})
    text = 'trained_on = ["s"]\n\n' + (tmp_path / "manifest.toml").read_text()
    (tmp_path / "manifest.toml").write_text(text)
    (tmp_path / "a.onnx").write_bytes(b"changed")
    write_manifest(str(tmp_path), ["a"])
    manifest = tomllib.loads((tmp_path / "manifest.toml").read_text())
    assert manifest["trained_on"] == ["s"] and manifest["model"][1]["inputs"] == ["x.one", "y.two"]
    assert [m["sha256"] for m in manifest["model"]] == [sha256(str(tmp_path / f"{m}.onnx")) for m in "ab"]


def test_shipped_graphs_are_those_of_the_manifest():
    with open(os.path.join(MODELS, "manifest.toml"), "rb") as file:
        for model in tomllib.load(file)["model"]:
            path = os.path.join(MODELS, model["file"])
            assert sha256(path) == model["sha256"]
            onnx.checker.check_model(onnx.load(path))
