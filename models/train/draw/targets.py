"""Corners -> what the locator is to say: masks and peaks at corners, cell by cell."""

import cv2
import numpy as np

CELLS = 48  # of the net's output, a side
CHANNELS = ("document", "device", "corners")
FINE = 8  # pixels of a mask to a cell


def grid(side):
    """Corners of a square, clockwise from the left top."""
    return np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)


def mask_of(quads, convex=False):
    """[CELLS,CELLS] bytes: which share of each cell lies in one of `quads`, corners in pixels of `FINE` to a cell.

    `convex` takes OpenCV's other way of filling; it draws another rim, and what was trained on it stays as it was.
    """
    mask = np.zeros((FINE * CELLS, FINE * CELLS), np.uint8)
    for quad in quads:
        points = quad.round().astype(np.int32)
        if convex:
            cv2.fillConvexPoly(mask, points, 255)
        else:
            cv2.fillPoly(mask, [points], 255)
    return cv2.resize(mask, (CELLS, CELLS), interpolation=cv2.INTER_AREA)


def peaks_at(corners, kind=float):
    """[CELLS,CELLS] from 0 to 1: a bump at each corner, in cells."""
    peaks = np.zeros((CELLS, CELLS), kind)
    yy, xx = np.mgrid[:CELLS, :CELLS] + 0.5
    for x, y in corners:
        peaks = np.maximum(peaks, np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 2))
    return peaks


def target(documents, devices, convex=False):
    """[3,CELLS,CELLS] bytes of a picture in which these quadrilaterals are marked, in pixels of `FINE` to a cell."""
    peaks = peaks_at(np.concatenate(documents) / FINE) if documents else peaks_at(())
    masks = [mask_of(documents, convex), mask_of(devices, convex)]
    return np.stack([*masks, (255 * peaks).round().astype(np.uint8)])
