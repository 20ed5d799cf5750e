"""Networks and their heads -> `texture_net.onnx` and `scene_net.onnx`, and the check that they say what PyTorch says.

The graphs use Sub, Mul, Conv, Clip, Add, ReduceMean, ReduceMax, Sqrt, Abs, Sign, Concat and Gemm alone, so that small
engines run them too; padding and batch norm are inside the convolutions.
"""

import numpy as np
import torch

from ..data.tiles import OVERVIEW, TILE
from .backbone import pool_tiles
from .graph import Graph, session, value_info


def export_texture_net(path, stages, taps, heads, tile_heads):
    """`tiles` [n,3,128,128] -> `logits` [1,2] and `tile_logits` [n,2]."""
    g = Graph()
    rows = g.backbone("tiles", TILE, stages, taps)
    mean, std = g.mean_and_std(rows, [0], 1)
    top = g.add("ReduceMax", [rows], axes=[0], keepdims=1)
    g.linear(g.add("Concat", [mean, top, std], axis=1), heads, "logits")
    g.linear(rows, tile_heads, "tile_logits")
    g.save(
        path,
        "texture_net",
        [value_info("tiles", ["n", 3, TILE, TILE])],
        [value_info("logits", [1, 2]), value_info("tile_logits", ["n", 2])],
        "Native 128-px tiles of one capture, RGB 0..255 -> log-odds (screen, print) against bona fide.",
    )


def export_scene_net(path, stages, taps, regions, heads, size=OVERVIEW):
    """`overview` [1,3,192,192] -> `logits` [1,2]."""
    g = Graph()
    g.linear(g.backbone("overview", size, stages, taps, regions), heads, "logits")
    g.save(
        path,
        "scene_net",
        [value_info("overview", [1, 3, size, size])],
        [value_info("logits", [1, 2])],
        "The whole capture squashed to 192 x 192, RGB 0..255 -> log-odds (screen, print) against bona fide.",
    )


def _linear(heads, rows):
    weight = torch.from_numpy(np.stack([h[0] for h in heads]).astype(np.float32))
    return rows @ weight.T + torch.tensor([float(h[1]) for h in heads])


@torch.no_grad()
def check(texture_path, scene_path, texture, scene, inputs, tolerance=1e-4):
    """Largest difference between PyTorch and ONNX Runtime on real inputs, relative to 1 + |logit|.

    `texture` is (network, heads, tile heads) and `scene` (network, heads); `inputs` are pairs of
    [n,3,128,128] and [1,3,192,192] float arrays.
    """
    tile_network, scene_network = texture[0].eval(), scene[0].eval()
    tile_session, scene_session = session(texture_path), session(scene_path)
    worst = 0.0
    for tiles, overview in inputs:
        for count in (len(tiles), 1):
            rows = tile_network(torch.from_numpy(tiles[:count]))
            expected = (_linear(texture[1], pool_tiles(rows)), _linear(texture[2], rows))
            got = tile_session.run(["logits", "tile_logits"], {"tiles": tiles[:count]})
            for e, g in zip(expected, got):
                worst = max(worst, float((np.abs(e.numpy() - g) / (1 + np.abs(g))).max()))
        expected = _linear(scene[1], scene_network(torch.from_numpy(overview))).numpy()
        got = scene_session.run(["logits"], {"overview": overview})[0]
        worst = max(worst, float((np.abs(expected - got) / (1 + np.abs(got))).max()))
    if not worst < tolerance:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst:.2e}, more than {tolerance}")
    return worst
