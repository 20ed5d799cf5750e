"""Captures -> pixels of each view -> features of a network, each cached on disk so that a stopped run goes on."""

import copy
import hashlib
import multiprocessing
import os

import numpy as np
import torch

from ..device import device
from ..storing import storing
from .tiles import read_pixels
from .views import view

CHUNK = 16
BATCH = 16
# What `dataset.view` gives.
PARTS = ("tiles", "scene", "near")
_network = None


def as_input(pixels):
    """[n,h,w,3] bytes -> [n,3,h,w] float."""
    pixels = pixels if isinstance(pixels, torch.Tensor) else torch.from_numpy(np.array(pixels))
    return pixels.permute(0, 3, 1, 2).float()


def _save(path, array):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with storing(path) as file:
        np.save(file, array)


def _pixels_of(job):
    """-> for each view (tiles, overviews, second looks) of a few pictures, each read once."""
    pictures, views = job
    pairs = [[view(p, pixels, name) for name in views] for p in pictures for pixels in [read_pixels(p)]]
    return [tuple(np.stack([row[v][part] for row in pairs]) for part in range(len(PARTS))) for v in range(len(views))]


def cached_pixels(pictures, views, cache, workers):
    """-> view -> {"tiles": [N,t,128,128,3], "scene": [N,192,192,3], "near": [N,192,192,3]}, bytes mapped from disk."""
    mark = hashlib.sha256("\n".join(p.root + p.key + str(p.found) for p in pictures).encode()).hexdigest()[:12]
    path = lambda name, kind: os.path.join(cache, mark, f"{name}.{kind}.npy")
    for start in range(0, len(views), 3):  # three at a time: all at once would not fit a small memory
        todo = [v for v in views[start : start + 3] if not os.path.exists(path(v, PARTS[-1]))]
        if not todo:
            continue
        jobs = [(pictures[i : i + CHUNK], todo) for i in range(0, len(pictures), CHUNK)]
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            done = list(pool.imap(_pixels_of, jobs))
        for index, name in enumerate(todo):
            for part, kind in enumerate(PARTS):
                _save(path(name, kind), np.concatenate([d[index][part] for d in done]))
        print(f"pixels of {', '.join(todo)}", flush=True)
    return {v: {kind: np.load(path(v, kind), mmap_mode="r") for kind in PARTS} for v in views}


def _start(network):
    global _network
    torch.set_num_threads(1)
    _network = network.eval().to(memory_format=torch.channels_last)


@torch.no_grad()
def _through(network, pixels, batch):
    """[...,h,w,3] bytes -> [...,d] rows of the network, float16."""
    flat = pixels.reshape(-1, *pixels.shape[-3:])
    rows = [
        network(
            as_input(torch.from_numpy(np.array(flat[i : i + batch])).to(next(network.parameters()).device)).contiguous(
                memory_format=torch.channels_last
            )
        )
        for i in range(0, len(flat), batch)
    ]
    return torch.cat(rows).cpu().numpy().astype(np.float16).reshape(*pixels.shape[:-3], -1)


def _features_of(job):
    """Rows [low:high] of a mapped array through the network of this process."""
    path, low, high = job
    return _through(_network, np.load(path, mmap_mode="r")[low:high], BATCH)


def cached_features(name, network, pixels, kind, workers):
    """-> view -> what `network` makes of the tiles or scenes, float16; `name` tells networks apart in the cache."""
    paths = {v: arrays[kind].filename for v, arrays in pixels.items()}
    target = lambda v: paths[v].removesuffix(".npy") + f".{name}.npy"
    todo = [v for v in paths if not os.path.exists(target(v))]
    if todo and device().type == "cuda":
        there = copy.deepcopy(network).eval().to(device()).to(memory_format=torch.channels_last)
        for v in todo:
            _save(target(v), _through(there, pixels[v][kind], 64 * BATCH))
    elif todo:
        with multiprocessing.get_context("spawn").Pool(workers, _start, (network,)) as pool:
            for v in todo:
                jobs = [(paths[v], i, i + CHUNK) for i in range(0, len(pixels[v][kind]), CHUNK)]
                _save(target(v), np.concatenate(list(pool.imap(_features_of, jobs))))
    if todo:
        print(f"{name}: features of {len(todo)} views", flush=True)
    return {v: np.load(target(v)) for v in paths}
