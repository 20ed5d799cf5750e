"""A seed -> a bank card, either side."""

import numpy as np

from ..marks import chip, scrawl
from ..paper import vivid
from ..sheet import ID1, INK, LONG, Sheet
from ..stock import MACHINE_FACE, MONO, SANS
from ..tones import tone
from ..words import chance, digits, han, pick, words


def bank_card(stock, rng):
    upright = chance(rng, 0.08)
    w, h = (round(LONG / ID1), LONG) if upright else (LONG, round(LONG / ID1))
    sheet = Sheet(stock, rng, vivid(rng, (h, w), stock.photos))
    bright = np.mean(np.asarray(sheet.image)) > 130
    ink, face = tone(rng, 0, 50) if bright else tone(rng, 190, 255), pick(rng, SANS)
    unit = 0.6 if upright else 1.0
    if chance(rng, 0.2):  # the other side
        sheet.box((0, 0.08, 1, 0.27), tone(rng, 0, 40))
        sheet.box((0.05, 0.36, 0.7, 0.5), (240, 240, 235))
        scrawl(sheet, (0.1, 0.36, 0.45, 0.5))
        sheet.text((0.6, 0.4), digits(rng, 3), 0.06, INK, face)
        for k in range(int(rng.integers(2, 7))):
            sheet.text((0.05, 0.58 + 0.06 * k), words(rng, int(rng.integers(3, 7)))[:50], 0.035, ink, face)
        return sheet.done()
    sheet.text(
        (rng.uniform(0.05, 0.5), 0.06),
        words(rng, 2)[:16] if chance(rng, 0.7) else han(rng, 4) + "银行",
        0.1 * unit,
        ink,
        face,
    )
    if chance(rng, 0.85):
        chip(sheet, rng.uniform(0.07, 0.12), rng.uniform(0.3, 0.42), 0.19 * unit)
    if chance(rng, 0.85):
        number, raised = " ".join(digits(rng, 4) for _ in range(4)), pick(rng, (*MONO, MACHINE_FACE))
        for off, colour in ((0.006, tuple(int(255 - c) for c in ink)), (0.0, ink)):
            sheet.text((0.08 + off, 0.56 + off), number, 0.105 * unit, colour, raised)
        sheet.text((0.45, 0.71), f"{rng.integers(1, 13):02}/{rng.integers(20, 34)}", 0.06 * unit, ink, raised)
        sheet.text((0.08, 0.82), words(rng, 2).upper()[:20], 0.07 * unit, ink, raised)
    for k in range(2 if chance(rng, 0.5) else 1):
        sheet.circle((0.82 + 0.07 * k, 0.83), 0.09 * unit, tone(rng))
    return sheet.done()
