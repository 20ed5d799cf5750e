"""How long both nets take in ONNX Runtime on one thread, and what others would cost.

    python models/train/speed.py [--models models]
"""
import argparse
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from backbone import Backbone  # noqa: E402
from export import export_scene_net, export_texture_net, session  # noqa: E402
from features import SCENE_REGIONS, SCENE_TAPS, TILE_TAPS  # noqa: E402


def milliseconds(path, name, shape, rounds=40):
    """Median over the rounds, after a warm-up."""
    run = session(path)
    value = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    for _ in range(5):
        run.run(None, {name: value})
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run.run(None, {name: value})
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def zeros(network, size, times=1):
    width = network(torch.zeros(1, 3, size, size)).shape[1]
    return [(np.zeros(times * width, np.float32), np.float32(0))] * 2


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="models")
    options = parser.parse_args()
    texture, scene = (os.path.join(options.models, f"{n}.onnx") for n in ("texture_net", "scene_net"))
    for count in (1, 6, 12):
        print(f"texture_net, tiles {count}: {milliseconds(texture, 'tiles', (count, 3, 128, 128)):.1f} ms")
    print(f"scene_net: {milliseconds(scene, 'overview', (1, 3, 192, 192)):.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "variant.onnx")
        for taps in (TILE_TAPS[:2], TILE_TAPS[:3], TILE_TAPS):
            network = Backbone(taps)
            export_texture_net(path, network.folded(), taps, zeros(network, 128, 3), zeros(network, 128))
            print(f"pretrained on 6 tiles, taps {taps}: {milliseconds(path, 'tiles', (6, 3, 128, 128)):.1f} ms")
        for taps, regions in ((SCENE_TAPS, ()), (SCENE_TAPS, SCENE_REGIONS), (SCENE_TAPS, (*SCENE_REGIONS, 15))):
            network = Backbone(taps, regions)
            for size in (160, 192, 224, 256):
                export_scene_net(path, network.folded(), taps, regions, zeros(network, size), size)
                print(f"overview {size}, taps {taps}, regions {regions}: "
                      f"{milliseconds(path, 'overview', (1, 3, size, size)):.1f} ms, {os.path.getsize(path) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
