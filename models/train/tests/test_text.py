"""The shipped reader of print, and what stands for each of its classes; the package it was cut from is not needed."""

import os

import numpy as np
import onnx

from ..commands.text import read
from ..nets.graph import session
from ..nets.text import ROWS, symbols
from ..paths import MODELS


def kept():
    with open(os.path.join(MODELS, "text_net.txt"), encoding="utf-8") as file:
        return file.read().splitlines()


def test_every_class_but_the_blank_has_one_symbol():
    found = kept()
    assert len(set(found)) == len(found) and symbols(set(found)) == found
    output = onnx.load(os.path.join(MODELS, "text_net.onnx")).graph.output[0].type.tensor_type.shape.dim[2]
    assert output.dim_value == len(found) + 1


def test_weights_are_held_in_bytes_and_a_blank_strip_has_no_text():
    path = os.path.join(MODELS, "text_net.onnx")
    assert os.path.getsize(path) < 4_000_000
    said, odds = read(session(path), kept(), np.full((ROWS, 160), 220, np.uint8))
    assert said == "" and odds == []
