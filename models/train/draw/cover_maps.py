"""Shares of cells -> the maps of what lies over a document."""

import cv2
import numpy as np

from .camera import HEIGHT, WIDTH

SHAPE = (2 * HEIGHT, 2 * WIDTH)
CELL, UNKNOWN = 8, 255  # of the net's pixels; in the maps, which hold 0, 1 or this
ROWS, COLUMNS = HEIGHT // CELL, WIDTH // CELL
MAPS = ("covered", "glare")
# Share of a cell from which it is covered, and up to which it is not.
COVERED, FREE = 0.3, 0.06
ENDS = np.array([[0, 0], [SHAPE[1], 0], [SHAPE[1], SHAPE[0]], [0, SHAPE[0]]], np.float32)


def cells(field):
    return cv2.resize(np.asarray(field, np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)


def of_share(share):
    """Shares of cells -> whether they are covered."""
    return np.where(share >= COVERED, 1, np.where(share <= FREE, 0, UNKNOWN)).astype(np.uint8)
