"""How long both nets take in ONNX Runtime on one thread, and what other cuts would cost.

    python models/train/speed.py [--models models]
"""
import argparse
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np  # noqa: E402

from backbone import CHANNELS, load_folded  # noqa: E402
from export import export_scene_net, export_texture_net, session  # noqa: E402


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


def _zeros(taps, times):
    return [(np.zeros(times * sum(2 * CHANNELS[t] for t in taps), np.float32), np.float32(0))] * 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="models")
    options = parser.parse_args()
    texture, scene = (os.path.join(options.models, f"{n}.onnx") for n in ("texture_net", "scene_net"))
    print(f"texture_net, 6 tiles: {milliseconds(texture, 'tiles', (6, 3, 128, 128)):.1f} ms")
    print(f"texture_net, 1 tile: {milliseconds(texture, 'tiles', (1, 3, 128, 128)):.1f} ms")
    print(f"scene_net: {milliseconds(scene, 'overview', (1, 3, 192, 192)):.1f} ms")
    stages = load_folded()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "variant.onnx")
        for taps in ((0, 2), (0, 2, 4), (0, 2, 4, 7)):
            export_texture_net(path, stages, taps, _zeros(taps, 3), _zeros(taps, 1))
            print(f"tiles, taps {taps}: {milliseconds(path, 'tiles', (6, 3, 128, 128)):.1f} ms")
        for taps in ((7, 10, 14), (0, 2, 4, 7, 10, 14), (0, 2, 4, 7, 10, 14, 15)):
            for size in (192, 224, 256):
                export_scene_net(path, stages, taps, _zeros(taps, 1), size)
                print(f"overview {size}, taps {taps}: {milliseconds(path, 'overview', (1, 3, size, size)):.1f} ms, "
                      f"{os.path.getsize(path) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
