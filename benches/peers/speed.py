"""JPEGs -> least CPU milliseconds that a tuned Python pipeline takes for each, as a JSON list.

    python benches/peers/speed.py MODELS ROUNDS FILE...

What the program's two screen networks need and no more, the fastest ways that are commonly known: OpenCV decodes to BGR,
the whole is averaged to 192 x 192 (`INTER_AREA`), twelve native tiles are windowed and transformed (OpenCV's DFT), six
native tiles and the whole go through texture_net and scene_net in ONNX Runtime, one thread. No document is looked for,
nothing is read, nothing is judged. Needs numpy, opencv-python-headless and onnxruntime.
"""
import json
import os
import pathlib
import resource
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np
import onnxruntime

TILES = 12
SPECTRAL = 256
TEXTURE = 128


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    made = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda planes: made.run(None, {made.get_inputs()[0].name: planes})


def cut(picture, side, columns, rows):
    height, width = picture.shape[:2]
    for row in range(rows):
        for column in range(columns):
            x = max(0, (2 * column + 1) * width // (2 * columns) - side // 2)
            y = max(0, (2 * row + 1) * height // (2 * rows) - side // 2)
            tile = picture[y : y + side, x : x + side]
            if tile.shape[:2] == (side, side):
                yield tile


def planes(pictures):
    batch = np.stack(pictures).transpose(0, 3, 1, 2)[:, ::-1]
    return np.ascontiguousarray(batch, dtype=np.float32)


def look(path, texture, scene, window):
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    small = cv2.resize(picture, (192, 192), interpolation=cv2.INTER_AREA)
    for tile in cut(picture, SPECTRAL, 4, 3):
        luma = cv2.cvtColor(tile, cv2.COLOR_BGR2GRAY).astype(np.float32)
        spectrum = cv2.dft((luma - luma.mean()) * window, flags=cv2.DFT_COMPLEX_OUTPUT)
        cv2.log(cv2.magnitude(spectrum[..., 0], spectrum[..., 1]) + 1.0)
    texture(planes(list(cut(picture, TEXTURE, 3, 2))))
    scene(planes([small]))


def main():
    models, rounds, files = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    cv2.setNumThreads(1)
    texture, scene = session(models / "texture_net.onnx"), session(models / "scene_net.onnx")
    line = np.hanning(SPECTRAL).astype(np.float32)
    window = np.outer(line, line)
    least = [float("inf")] * len(files)
    for _ in range(rounds):
        for i, path in enumerate(files):
            before = cpu()
            look(path, texture, scene, window)
            least[i] = min(least[i], 1e3 * (cpu() - before))
    json.dump(least, sys.stdout)


if __name__ == "__main__":
    main()
