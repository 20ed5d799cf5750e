"""A network and its graph -> whether PyTorch and ONNX Runtime say the same."""

import numpy as np
import torch

from .graph import session


@torch.no_grad()
def agree(model, path, inputs, tolerance=1e-4):
    """Largest difference between PyTorch and ONNX Runtime over `inputs`, relative to 1 + |output|."""
    run, worst = session(path), 0.0
    name = run.get_inputs()[0].name
    for x in inputs:
        said = model(torch.from_numpy(x))
        for expected, got in zip(said if isinstance(said, tuple) else (said,), run.run(None, {name: x})):
            worst = max(worst, float((np.abs(expected.numpy() - got) / (1 + np.abs(got))).max()))
    if not worst < tolerance:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst:.2e}, more than {tolerance}")
    return worst
