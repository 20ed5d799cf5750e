"""Overviews and the locator -> where the second look goes: the document, or the device around it, and what lies around.

`src/scene/looks.rs` and `src/scene/locator.rs` do the same.
"""

from collections import deque
from dataclasses import replace

import numpy as np

# This share of the width and height more on each side; no second look where nothing was found, or where that would be
# nearly all of the picture. Share of the width and height that the middle has, which training looks at instead.
AROUND, NEARLY_ALL, MIDDLE = 0.5, 0.8, 0.6
# Smallest document that is believed, in cells of the locator's map.
LEAST_CELLS = 10


def about(found, margin=AROUND):
    """`found` and what lies about it: left, top, right, bottom in shares; () without a second look."""
    if found:
        left, top, right, bottom = found
        more = (right - left) * margin, (bottom - top) * margin
        box = max(left - more[0], 0.0), max(top - more[1], 0.0), min(right + more[0], 1.0), min(bottom + more[1], 1.0)
        if (box[2] - box[0]) * (box[3] - box[1]) < NEARLY_ALL:
            return box
    return ()


def around(found, margin=AROUND):
    """The same for training, which looks at the middle where there is nothing to look at again."""
    edge = (1 - MIDDLE) / 2
    return about(found, margin) or (edge, edge, 1 - edge, 1 - edge)


def pieces(inside):
    """Connected cells of a map that are set, the largest first."""
    left, found = inside.copy(), []
    for start in zip(*np.nonzero(inside)):
        if not left[start]:
            continue
        left[start], next_cells, cells = False, deque([start]), []
        while next_cells:
            y, x = cell = next_cells.popleft()
            cells.append(cell)
            for beside in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if min(beside) >= 0 and max(beside) < len(left) and left[beside]:
                    left[beside] = False
                    next_cells.append(beside)
        found.append(np.array(cells))
    return sorted(found, key=len, reverse=True)


def box_of(maps):
    """[3,c,c] log-odds of document, device, corners -> box in shares of the device, or of the document where none is
    seen about it; () where neither is."""
    boxes = []
    for channel in (0, 1):
        piece = next(iter(pieces(maps[channel] > 0)), ())
        if len(piece) > LEAST_CELLS:
            low, high = piece.min(0) / maps.shape[-1], (piece.max(0) + 1) / maps.shape[-1]
            boxes.append(tuple(map(float, (low[1], low[0], high[1], high[0]))))
        else:
            boxes.append(())
    document, device = boxes
    if not (document and device):
        return device or document
    middle = (document[0] + document[2]) / 2, (document[1] + document[3]) / 2
    holds = device[0] < middle[0] < device[2] and device[1] < middle[1] < device[3]
    return device if holds else document


def with_boxes(pictures, session, overview_of):
    """The same pictures with what the locator of `session` sees; `overview_of` gives a picture's [192,192,3] bytes."""
    done = []
    for picture in pictures:
        x = np.ascontiguousarray(overview_of(picture).transpose(2, 0, 1)[None].astype(np.float32))
        done.append(replace(picture, found=box_of(session.run(None, {"overview": x})[0][0])))
    return done
