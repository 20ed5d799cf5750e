"""A convolution, batch norm and a rectifier -> one layer, in training and folded for export."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class FoldedConv:
    """One convolution with its batch norm folded in; pads are (top, left, bottom, right)."""

    weight: np.ndarray
    bias: np.ndarray
    stride: int
    pads: tuple
    groups: int
    relu6: bool


class Layer(NamedTuple):
    """What one convolution is made of; without `pad` the map keeps its size but for the stride."""

    kernel: tuple | int
    stride: tuple | int
    outputs: int
    residual: bool = False
    pad: tuple | int | None = None
    dilation: int = 1


def fold(conv, norm):
    """-> weight and bias of a convolution with its batch norm in them."""
    scale = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
    return (
        (conv.weight.detach().double() * scale[:, None, None, None]).float().numpy(),
        (norm.bias.detach().double() - norm.running_mean.double() * scale).float().numpy(),
    )


class Conv(nn.Module):
    """Convolution, batch norm, rectifier; adds its input where it is residual. `six` bounds the rectifier at 6."""

    def __init__(self, inputs, layer, six=False):
        super().__init__()
        kernel, stride, outputs, residual, pad, dilation = layer
        if pad is None:
            pad = kernel // 2 * dilation
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, pad, dilation, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.residual, self.six = residual, six

    def forward(self, x):
        y = self.norm(self.conv(x))
        y = F.relu6(y) if self.six else F.relu(y)
        return x + y if self.residual else y

    def weights(self):
        return fold(self.conv, self.norm)

    def folded(self):
        """As `backbone.Stage` and `graph.Graph.conv` take it: one stride, pads alike on all sides."""
        weight, bias = self.weights()
        stride, pad = self.conv.stride[0], self.conv.padding[0]
        return FoldedConv(weight, bias, stride=stride, pads=(pad,) * 4, groups=1, relu6=self.six)


def chain(inputs, layers, six=False):
    """Convolutions one behind the other."""
    convs = nn.ModuleList()
    for layer in layers:
        convs.append(Conv(inputs, layer, six))
        inputs = layer.outputs
    return convs
