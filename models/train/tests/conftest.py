"""Noise -> photographs and a stock of typefaces for the tests: no file but the fonts that come with matplotlib."""

import os
from collections import defaultdict

import cv2
import matplotlib
import numpy as np
import pytest

FONT = os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


@pytest.fixture(autouse=True)
def one_thread():
    cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def photos():
    """Pictures of nothing, smooth enough to be photographs."""
    noise = [np.random.default_rng(k).integers(0, 256, (220 + 30 * k, 300, 3)).astype(np.uint8) for k in range(3)]
    return [cv2.GaussianBlur(picture, (0, 0), 3) for picture in noise]


@pytest.fixture(scope="session", autouse=True)
def fonts():
    """Every typeface is the one that is always there, so that nothing depends on the machine's fonts."""
    from ..draw import print as typeset
    from ..draw import stock, text_lines

    there = defaultdict(lambda: FONT)
    with pytest.MonkeyPatch.context() as patch:
        for module in (stock, text_lines, typeset):
            patch.setattr(module, "typefaces", lambda names, folders=(): there)
        yield


@pytest.fixture(scope="session")
def typeset(fonts):
    """Glyphs and printed grounds, which take seconds to draw."""
    from ..draw.print import Atlas, Grounds

    return Atlas(), Grounds(1)


@pytest.fixture(scope="session")
def stock(photos, fonts):
    from ..draw.stock import Stock

    made = Stock(photos)
    made.papers = [cv2.resize(picture, (384, 240)) for picture in photos]
    return made
