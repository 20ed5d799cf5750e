"""A seed -> a trading card."""

import numpy as np

from ..paper import vivid
from ..sheet import LONG, Sheet
from ..tones import picture_patch, tone
from ..words import chance, words


def trading_card(stock, rng):
    w, h = round(LONG / 1.4), LONG
    sheet = Sheet(
        stock, rng, vivid(rng, (h, w), stock.photos) if chance(rng, 0.5) else np.full((h, w, 3), tone(rng), np.float32)
    )
    sheet.box((0.05, 0.035, 0.95, 0.965), tone(rng, 60, 255))
    sheet.text((0.09, 0.05), words(rng, 2)[:16], 0.045, tone(rng, 0, 80))
    picture = picture_patch(stock.photos, rng, (200, 150))
    if chance(rng, 0.7):
        picture = np.clip(picture * rng.uniform(0.5, 1.5, 3), 0, 255).astype(np.uint8)
    sheet.paste(picture, (0.08, 0.115, 0.92, rng.uniform(0.48, 0.56)))
    sheet.box((0.08, 0.6, 0.92, 0.92), tone(rng, 170, 255), tone(rng), 2)
    y = 0.62
    while y < 0.88:
        sheet.text((0.11, y), words(rng, 5)[: int(rng.integers(20, 36))], 0.028, (20, 20, 20))
        y += rng.uniform(0.034, 0.06)
    return sheet.done()
