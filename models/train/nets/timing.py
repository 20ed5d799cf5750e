"""A graph -> how long it takes in ONNX Runtime on one thread."""

import time

import numpy as np
import torch

from .graph import session


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
