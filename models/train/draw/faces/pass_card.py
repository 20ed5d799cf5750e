"""A seed -> a membership, transport, gift or circuit-board card."""

import numpy as np

from ..marks import bars, matrix_code
from ..paper import vivid
from ..sheet import ID1, LONG, Sheet
from ..stock import SANS
from ..tones import tone
from ..words import chance, han, pick, value, words


def pass_card(stock, rng):
    """Membership, transport, gift and circuit-board cards."""
    w, h = LONG, round(LONG / ID1)
    if chance(rng, 0.35):  # a circuit board
        sheet = Sheet(
            stock,
            rng,
            np.full(
                (h, w, 3),
                pick(rng, ((20, 22, 24), (20, 70, 40), (25, 40, 110), (120, 20, 25), (230, 230, 230))),
                np.float32,
            ),
        )
        ink = (225, 225, 220) if np.mean(np.asarray(sheet.image)) < 150 else (30, 30, 30)
        for _ in range(int(rng.integers(3, 30))):
            a, size = rng.uniform(0.05, 0.9, 2), rng.uniform(0.01, 0.06, 2)
            sheet.box((*a, *(a + size)), tone(rng, 90, 220))
        for _ in range(int(rng.integers(2, 10))):
            x, y = rng.uniform(0.03, 0.95, 2)
            sheet.line(((x, y), (x + 0.1, y), (x + 0.14, y + 0.08)), tone(rng, 60, 200))
    else:
        sheet = Sheet(stock, rng, vivid(rng, (h, w), stock.photos))
        ink = tone(rng, 0, 50) if np.mean(np.asarray(sheet.image)) > 130 else tone(rng, 190, 255)
    face = pick(rng, SANS)
    sheet.text(
        (rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.4)),
        words(rng, 2)[:18] if chance(rng, 0.7) else han(rng, 5),
        rng.uniform(0.08, 0.16),
        ink,
        face,
    )
    for _ in range(int(rng.integers(0, 4))):
        sheet.text(
            (rng.uniform(0.05, 0.5), rng.uniform(0.45, 0.9)),
            value(rng, "latin")[:24],
            rng.uniform(0.04, 0.07),
            ink,
            face,
        )
    if chance(rng, 0.4):
        bars(sheet, (0.1, 0.68, rng.uniform(0.5, 0.9), 0.86))
    if chance(rng, 0.25):
        matrix_code(sheet, rng.uniform(0.05, 0.7), rng.uniform(0.1, 0.5), 0.36)
    return sheet.done()
