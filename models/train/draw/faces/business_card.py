"""A seed -> a business card."""

import numpy as np

from ..marks import arms, matrix_code
from ..sheet import LONG, Sheet
from ..stock import SANS, SERIF
from ..tones import gradient, tone
from ..words import chance, digits, han, pick, value, word, words


def business_card(stock, rng):
    upright = chance(rng, 0.15)
    aspect = pick(rng, (1.64, 1.75, 1.8, 1.5))
    w, h = (round(LONG / aspect), LONG) if upright else (LONG, round(LONG / aspect))
    dark = chance(rng, 0.3)
    base = tone(rng, 0, 90) if dark else tone(rng, 215, 255)
    sheet = Sheet(
        stock, rng, np.full((h, w, 3), base, np.float32) if chance(rng, 0.7) else gradient((h, w), base, tone(rng), rng)
    )
    ink, face = tone(rng, 190, 255) if dark else tone(rng, 0, 110), pick(rng, (*SANS, *SERIF))
    if chance(rng, 0.3):
        side = pick(rng, ((0, 0, 0.3, 1), (0, 0.8, 1, 1), (0, 0, 1, 0.2), (0.7, 0, 1, 1)))
        sheet.box(side, tone(rng))
    unit = 0.6 if upright else 1.0
    if chance(rng, 0.75):
        arms(sheet, (rng.uniform(0.15, 0.85), rng.uniform(0.15, 0.4)), rng.uniform(0.08, 0.2) * unit)
    if chance(rng, 0.25):
        matrix_code(sheet, rng.uniform(0.05, 0.65), rng.uniform(0.3, 0.6), rng.uniform(0.25, 0.38) * unit)
    anchor, x = pick(rng, (("la", 0.08), ("ma", 0.5), ("ra", 0.92)))
    y, chinese = rng.uniform(0.2, 0.5), chance(rng, 0.3)
    sheet.text(
        (x, y), han(rng, 3) if chinese else words(rng, 2)[:18], rng.uniform(0.09, 0.14) * unit, ink, face, anchor
    )
    y += 0.17
    for _ in range(int(rng.integers(1, 6))):
        text = (
            han(rng, int(rng.integers(6, 16)))
            if chinese and chance(rng, 0.5)
            else pick(rng, (value(rng, "latin"), f"{word(rng).lower()}@{word(rng).lower()}.com", "+" + digits(rng, 11)))
        )
        sheet.text((x, y), text[:30], rng.uniform(0.045, 0.065) * unit, ink, face, anchor)
        y += rng.uniform(0.075, 0.11)
    return sheet.done()
