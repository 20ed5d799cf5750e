"""Captures -> frozen backbone features of each view, cached on disk so that a stopped run goes on."""
import hashlib
import multiprocessing
import os

import numpy as np
import torch

from backbone import Backbone
from dataset import read_pixels, view

TILE_TAPS = (0, 2, 4, 7)
SCENE_TAPS = (0, 2, 4, 7, 10, 14, 15)
CHUNK = 24

_networks = None


def _prepare():
    global _networks
    torch.set_num_threads(1)
    _networks = (
        Backbone(TILE_TAPS).eval().to(memory_format=torch.channels_last),
        Backbone(SCENE_TAPS).eval().to(memory_format=torch.channels_last),
    )


def as_input(pixels):
    """[n,h,w,3] bytes -> [n,3,h,w] float."""
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float()


@torch.no_grad()
def _run(network, pixels, batch=16):
    parts = [network(as_input(pixels[i : i + batch]).contiguous(memory_format=torch.channels_last))
             for i in range(0, len(pixels), batch)]
    return torch.cat(parts).numpy().astype(np.float16)


def _chunk(job):
    pictures, views, target = job
    if os.path.exists(target):
        return
    out = {}
    rows = {name: ([], []) for name in views}
    for picture in pictures:
        pixels = read_pixels(picture)
        pairs = [view(picture, pixels, name) for name in views]
        tiles = _run(_networks[0], np.concatenate([p[0] for p in pairs]))
        scenes = _run(_networks[1], np.stack([p[1] for p in pairs]))
        start = 0
        for index, (name, pair) in enumerate(zip(views, pairs)):
            stop = start + len(pair[0])
            rows[name][0].append(tiles[start:stop])
            rows[name][1].append(scenes[index])
            start = stop
    for name, (tiles, scenes) in rows.items():
        out[f"{name}.tiles"] = np.stack(tiles)
        out[f"{name}.scene"] = np.stack(scenes)
    temporary = f"{target}.{os.getpid()}.npz"
    np.savez(temporary, **out)
    os.replace(temporary, target)


def extract(pictures, views, cache, workers=1):
    """-> view -> (tiles [N,t,d], scene [N,e]) in the order of `pictures`, float16, after the signed root."""
    os.makedirs(cache, exist_ok=True)
    jobs = []
    for start in range(0, len(pictures), CHUNK):
        part = pictures[start : start + CHUNK]
        name = hashlib.sha256("\n".join([*views, *(p.root + p.key for p in part)]).encode()).hexdigest()[:20]
        jobs.append((part, list(views), os.path.join(cache, f"{name}.npz")))
    todo = [job for job in jobs if not os.path.exists(job[2])]
    if todo:
        with multiprocessing.get_context("spawn").Pool(workers, _prepare) as pool:
            for done, _ in enumerate(pool.imap_unordered(_chunk, todo), 1):
                if done % 10 == 0 or done == len(todo):
                    print(f"features: {done}/{len(todo)} chunks", flush=True)
    parts = [np.load(job[2]) for job in jobs]
    return {
        name: tuple(np.concatenate([p[f"{name}.{part}"] for p in parts]) for part in ("tiles", "scene"))
        for name in views
    }


def pooled(tiles, count=None):
    """[N,t,d] tile features -> [N,3d]: mean, max, standard deviation over the tiles."""
    tiles = (tiles if count is None else tiles[:, :count]).astype(np.float32)
    return np.concatenate([tiles.mean(1), tiles.max(1), tiles.std(1)], 1)
