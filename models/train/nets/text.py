"""A reader of Chinese and Latin print as its package has it -> the same for one grey line, of fewer symbols and bytes.

What comes out is meant to read what the package's network reads: nothing is learnt here. A weight of 8 bits is written
as such and made a float by `Cast` and `Mul`, which both engines do once, when they load the graph.
"""

import importlib.util
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

from .graph import OPSET

ROWS = 48
# The package's network expects (x - 127.5) / 127.5 on 0..255.
MEAN, SCALE = 127.5, 1.0 / 127.5
LEAST_IN_BYTES = 1024  # weights; smaller tensors stay floats
# Signs beside ASCII that stand in lines of documents.
SIGNS = "·，。：；、（）《》“”—〈〉【】×"


def shipped():
    """The path of the network in the package `rapidocr`."""
    package = importlib.util.find_spec("rapidocr").submodule_search_locations[0]
    return os.path.join(package, "models", "PP-OCRv6_rec_small.onnx")


def common_characters():
    """The 3 755 characters of GB 2312's first level, which cover some 99.7 % of running text."""
    rows = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return [pair.decode("gb2312") for pair in rows if is_character(pair)]


def is_character(pair):
    try:
        pair.decode("gb2312")
    except UnicodeDecodeError:
        return False
    return True


def symbols(known):
    """Those of `known` that the shipped network keeps, in a fixed order."""
    kept = [chr(code) for code in range(0x21, 0x7F)] + list(SIGNS) + common_characters()
    return [symbol for symbol in kept if symbol in known]


def known_symbols(model):
    """What stands for each class of the package's network: class 0 is the blank, the last a space."""
    listed = next(entry.value for entry in model.metadata_props if entry.key == "character")
    return ["", *listed.split("\n"), " "]


class Cutting:
    """The graph of the package while it becomes ours."""

    def __init__(self, path):
        model = onnx.load(path)
        self.known = known_symbols(model)
        del model.metadata_props[:]
        del model.graph.value_info[:]
        self.without_copies(model.graph)
        self.take(model)

    def take(self, model):
        self.model, self.graph = model, model.graph
        self.values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}

    def give(self):
        """The model with the values as they are now."""
        used = {name for node in self.graph.node for name in node.input}
        del self.graph.initializer[:]
        self.graph.initializer.extend(
            numpy_helper.from_array(np.asarray(value), name) for name, value in self.values.items() if name in used
        )
        return self.model

    def raise_version(self):
        """To the version of our graphs; after `cut_symbols`, since it writes a softmax at length."""
        self.take(version_converter.convert_version(self.give(), OPSET))

    @staticmethod
    def without_copies(graph):
        """Takes out `Identity`."""
        same = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}

        def source(name):
            while name in same:
                name = same[name]
            return name

        for node in graph.node:
            node.input[:] = [source(name) for name in node.input]
        for output in graph.output:
            output.name = source(output.name)
        kept = [node for node in graph.node if node.op_type != "Identity"]
        del graph.node[:]
        graph.node.extend(kept)

    def producer(self, name):
        return next(node for node in self.graph.node if name in node.output)

    def cut_symbols(self, kept):
        """Logits of `kept` and of the blank alone, without the softmax behind them."""
        softmax = self.producer(self.graph.output[0].name)
        bias = self.producer(softmax.input[0])
        product = self.producer(next(name for name in bias.input if name not in self.values))
        classes = [0, *(self.known.index(symbol) for symbol in kept)]
        for node in (bias, product):
            name = next(name for name in node.input if name in self.values)
            self.values[name] = np.ascontiguousarray(self.values[name][..., classes])
        self.graph.node.remove(softmax)
        bias.output[0] = "logits"
        del self.graph.output[:]
        self.graph.output.append(
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "frames", len(classes)])
        )

    def take_grey(self):
        """One plane, 0..255, in place of three equal ones already brought to -1..1."""
        name = self.graph.input[0].name
        first = next(node for node in self.graph.node if name in node.input)
        weight = first.input[1]
        self.values[weight] = self.values[weight].sum(1, keepdims=True)
        first.input[0] = "line_scaled"
        self.values["line_mean"], self.values["line_scale"] = np.float32(MEAN), np.float32(SCALE)
        self.graph.node.insert(0, helper.make_node("Sub", ["line", "line_mean"], ["line_off"]))
        self.graph.node.insert(1, helper.make_node("Mul", ["line_off", "line_scale"], ["line_scaled"]))
        del self.graph.input[:]
        self.graph.input.append(helper.make_tensor_value_info("line", TensorProto.FLOAT, [1, 1, ROWS, "width"]))

    def in_bytes(self):
        """Weights as 8 bits with a scale for each output."""
        made = []
        for name in list(self.values):
            value = self.values[name]
            if value.dtype != np.float32 or value.ndim < 2 or value.size < LEAST_IN_BYTES:
                continue
            output = 0 if value.ndim == 4 else value.ndim - 1
            others = tuple(axis for axis in range(value.ndim) if axis != output)
            scale = np.maximum(np.abs(value).max(others, keepdims=True), 1e-12) / np.float32(127)
            del self.values[name]
            self.values[f"{name}_bytes"] = np.rint(value / scale).astype(np.int8)
            self.values[f"{name}_scale"] = scale.astype(np.float32)
            made.append(helper.make_node("Cast", [f"{name}_bytes"], [f"{name}_whole"], to=TensorProto.FLOAT))
            made.append(helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [name]))
        nodes = [*made, *self.graph.node]
        del self.graph.node[:]
        self.graph.node.extend(nodes)

    def save(self, path, about):
        self.give()
        self.graph.name, self.model.producer_name, self.model.ir_version = "text_net", "bonafide models/train", 8
        self.model.doc_string = about
        onnx.checker.check_model(self.model, full_check=True)
        onnx.save(self.model, path)


def export(path, in_bytes=True):
    """`line` [1,1,48,W] -> `logits` [1,W/8,classes]; -> the symbols of the classes from 1 on."""
    cutting = Cutting(shipped())
    kept = symbols(set(cutting.known))
    cutting.cut_symbols(kept)
    cutting.raise_version()
    cutting.take_grey()
    if in_bytes:
        cutting.in_bytes()
    cutting.save(
        path, "A line of print, grey 0..255, 48 rows, the width a multiple of 8 -> CTC logits: blank, then text_net.txt"
    )
    return kept
