"""Readings -> scores: the heads of the fusion model, as ONNX."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SCREEN = ("texture_net.screen_logodds", "scene_net.looks_screen_logodds")
PRINT = ("texture_net.print_logodds", "scene_net.print_logodds")
# A reading that helps to tell a screen beside the networks; bounded to the middle 98 % of what was seen.
PERIODIC = ("moire.peak_db",)
# Fitted on the ladder.
JUDGED = ("legibility.readable", "legibility.zone_readable")
# A number whose checks hold was read: what it adds to the log-odds, by decree.
CONSISTENT = ("number.consistent", 4.0)
FREE = (-1e30, 1e30)


def kept(path, inputs):
    """The heads of the fusion model at `path`, whose inputs are `inputs`."""
    constants = {c.name: numpy_helper.to_array(c) for c in onnx.load(path).graph.initializer}
    k = len(inputs)
    heads = []
    for column in range(3):
        terms = {}
        for i, name in enumerate(inputs):
            slope, presence = (float(constants["weights"][j, column]) for j in (i, k + i))
            if slope == 0.0:
                continue
            terms[name] = (slope, -presence / slope, (float(constants["low"][i]), float(constants["high"][i])))
        heads.append((terms, float(constants["bias"][column])))
    return heads


def build(inputs, heads, path, about):
    """Row of values and presences -> three logistic heads; each head is (terms by reading, bias).

    A term is slope, centre and bounds of the value.
    """
    k = len(inputs)
    low, high = np.full(2 * k, -1e30, np.float32), np.full(2 * k, 1e30, np.float32)
    weights, bias = np.zeros((2 * k, 3), np.float32), np.zeros(3, np.float32)
    for column, (terms, constant) in enumerate(heads):
        bias[column] = constant
        for name, (slope, centre, bounds) in terms.items():
            i = inputs.index(name)
            # slope * (value - centre) where it was measured, nothing where it was not
            weights[i, column], weights[k + i, column] = slope, -slope * centre
            low[i], high[i] = bounds
    # A value that was not measured arrives as 0 and must stay 0 for every bound: values are bounded, then masked.
    nodes = [
        helper.make_node("Max", ["readings", "low"], ["from_below"]),
        helper.make_node("Min", ["from_below", "high"], ["bounded"]),
        helper.make_node("Slice", ["readings", "half", "end", "axis"], ["present"]),
        helper.make_node("Concat", ["present", "present"], ["mask"], axis=1),
        helper.make_node("Mul", ["bounded", "mask"], ["masked"]),
        helper.make_node("Gemm", ["masked", "weights", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
    ]
    constants = {
        "low": low,
        "high": high,
        "weights": weights,
        "bias": bias,
        "half": np.array([k]),
        "end": np.array([2 * k]),
        "axis": np.array([1]),
    }
    graph = helper.make_graph(
        nodes,
        "fusion",
        [helper.make_tensor_value_info("readings", TensorProto.FLOAT, ["n", 2 * k])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, doc_string=about)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"readings": np.zeros((1, 2 * k), np.float32)})[0][0]
