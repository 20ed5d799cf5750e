"""Folded convolutions and linear heads -> slim ONNX graphs, and what ONNX Runtime says of them."""

import hashlib
import os
import re

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

# The pretrained network expects (x - 127) / 128 on 0..255.
INPUT_MEAN, INPUT_SCALE = 127.0, 1.0 / 128.0
OPSET = 17


def region_masks(size):
    """[2,size,size]: the middle half (a side) of a map and its rim, each scaled so that the mean of a
    map times the mask is the mean over the region."""
    middle, edge = np.zeros((size, size), np.float32), size // 4
    middle[edge : size - edge, edge : size - edge] = 1
    masks = np.stack([middle, 1 - middle])
    return masks * (size * size / masks.sum((1, 2), keepdims=True))


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.count = [], {}, 0

    def constant(self, value, name=None):
        value = np.asarray(value, np.float32)
        name = name or f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def add(self, op, inputs, output=None, **attributes):
        self.count += 1
        output = output or f"{op.lower()}_{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(self, x, conv):
        index = self.count
        x = self.add(
            "Conv",
            [x, self.constant(conv.weight, f"w{index}"), self.constant(conv.bias, f"b{index}")],
            kernel_shape=list(conv.weight.shape[2:]),
            strides=[conv.stride] * 2,
            pads=list(conv.pads),
            group=conv.groups,
        )
        if conv.relu6:
            for name, bound in (("zero", 0.0), ("six", 6.0)):
                self.constants.setdefault(name, np.float32(bound))
            x = self.add("Clip", [x, "zero", "six"])
        return x

    def plain(self, x, weight, bias, name, output=None, **attributes):
        """A convolution as its layer has it: its constants are `w` and `b` with `name` behind them."""
        inputs = [x, self.constant(weight, f"w{name}"), self.constant(bias, f"b{name}")]
        return self.add("Conv", inputs, output, kernel_shape=list(weight.shape[2:]), **attributes)

    def rectified(self, x, layer, name, scale=1.0, dilated=False):
        """A `Conv` that is not bounded at 6; `scale` is that of its input. `dilated` writes the dilation out."""
        weight, bias = layer.weights()
        attributes = {"dilations": list(layer.conv.dilation)} if dilated else {}
        y = self.plain(
            x,
            weight * np.float32(scale),
            bias,
            name,
            strides=list(layer.conv.stride),
            pads=list(layer.conv.padding) * 2,
            **attributes,
        )
        y = self.add("Relu", [y])
        return self.add("Add", [x, y]) if layer.residual else y

    def chain(self, x, layers, name="", scale=1.0, dilated=False):
        for index, layer in enumerate(layers):
            x = self.rectified(x, layer, f"{name}{index}", 1.0 if index else scale, dilated)
        return x

    def signed_root(self, x):
        return self.add("Mul", [self.add("Sign", [x]), self.add("Sqrt", [self.add("Abs", [x])])])

    def mean_and_std(self, x, axes, keepdims):
        """Mean and population standard deviation; the latter is exactly 0 over one element."""
        mean = self.add("ReduceMean", [x], axes=axes, keepdims=1)
        off = self.add("Sub", [x, mean])
        std = self.add("Sqrt", [self.add("ReduceMean", [self.add("Mul", [off, off])], axes=axes, keepdims=keepdims)])
        if not keepdims:
            mean = self.add("ReduceMean", [mean], axes=axes, keepdims=0)
        return mean, std

    def backbone(self, x, size, stages, taps, regions=()):
        """`stages` are those of `Backbone.folded`; `size` is the side of the input in pixels."""
        x = self.add("Sub", [x, self.constant(INPUT_MEAN)])
        x = self.add("Mul", [x, self.constant(INPUT_SCALE)])
        rows, means = [], []
        for index, (convs, skip) in enumerate(stages):
            y = x
            for conv in convs:
                y = self.conv(y, conv)
                size = (size + conv.pads[0] + conv.pads[2] - conv.weight.shape[2]) // conv.stride + 1
            x = self.add("Add", [x, y]) if skip else y
            if index - 1 in taps:
                rows.extend(self.mean_and_std(x, [2, 3], 0))
            if index - 1 in regions:
                for mask in region_masks(size):
                    inside = self.add("Mul", [x, self.constant(mask)])
                    means.append(self.add("ReduceMean", [inside], axes=[2, 3], keepdims=0))
        return self.signed_root(self.add("Concat", rows + means, axis=1))

    def linear(self, x, heads, output):
        """One row of weights a head."""
        weight = self.constant(np.stack([h[0] for h in heads]), f"{output}_weight")
        bias = self.constant(np.array([h[1] for h in heads]), f"{output}_bias")
        return self.add("Gemm", [x, weight, bias], output, transB=1)

    def save(self, path, name, inputs, outputs, about):
        graph = helper.make_graph(
            self.nodes, name, inputs, outputs, [numpy_helper.from_array(v, k) for k, v in self.constants.items()]
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="bonafide models/train"
        )
        model.doc_string = about
        onnx.checker.check_model(model, full_check=True)
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        onnx.save(model, path)


def value_info(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def fed(picture):
    """A picture [h,w,3] as a net takes it: [1,3,h,w] floats."""
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1)[None].astype(np.float32))


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def write_manifest(folder, ids, inputs=None):
    """Brings the entries of `ids` up to date in manifest.toml; every other line stays as it is.

    `inputs` names, for a model over readings, the readings in the order of its input.
    """
    path = os.path.join(folder, "manifest.toml")
    text = open(path).read() if os.path.exists(path) else ""
    head, *entries = re.split(r"(?m)^(?=\[\[model\]\])", text)
    for id in ids:
        digest = sha256(os.path.join(folder, f"{id}.onnx"))
        for index, entry in enumerate(entries):
            if re.search(rf'(?m)^id = "{re.escape(id)}"\s*$', entry):
                entries[index] = re.sub(r'(?m)^sha256 = ".*"', f'sha256 = "{digest}"', entry)
                break
        else:
            entries.append(f'[[model]]\nid = "{id}"\nfile = "{id}.onnx"\nsha256 = "{digest}"\n')
            index = len(entries) - 1
        if inputs and id in inputs:
            kept = re.sub(r"(?ms)^inputs = \[.*?^\]\n?", "", entries[index]).rstrip()
            listed = "".join(f'    "{name}",\n' for name in inputs[id])
            entries[index] = f"{kept}\ninputs = [\n{listed}]\n"
    blocks = [block.strip() for block in [head, *entries] if block.strip()]
    with open(path, "w") as file:
        file.write("\n\n".join(blocks) + "\n")
