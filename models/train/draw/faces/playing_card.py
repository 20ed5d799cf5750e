"""A seed -> a playing card, either side."""

import numpy as np

from ..sheet import LONG, Sheet
from ..stock import SANS, SERIF
from ..tones import tone
from ..words import chance, pick


def suit(sheet, centre, size, kind, colour, hollow=False):
    """A pip: `size` is a share of the height."""
    (x, y), a = centre, size * sheet.h / sheet.w
    if kind == 0:
        points = [(x, y - size), (x + a * 0.7, y), (x, y + size), (x - a * 0.7, y)]
    elif kind == 1:
        t = np.linspace(0, 2 * np.pi, 24)
        points = list(
            zip(
                x + a * 0.06 * 16 * np.sin(t) ** 3,
                y - size * 0.06 * (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)),
            )
        )
    else:
        t = np.linspace(0, 2 * np.pi, 24)
        squash = 2.0 if kind == 2 else 1.0
        points = list(zip(x + a * squash * np.cos(t), y + size * np.sin(t) * (1 + 0.3 * np.sin(2 * t) * (kind == 3))))
    sheet.pen.polygon([(p * sheet.w, q * sheet.h) for p, q in points], None if hollow else colour, colour, 2)


def playing_card(stock, rng):
    """The same from both sides: it has no right way up."""
    aspect = pick(rng, (1.4, 1.45, 1.55, 1.6))
    w, h = round(LONG / aspect), LONG
    kind = rng.random()
    sheet = Sheet(stock, rng, np.full((h, w, 3), tone(rng, 225, 255), np.float32))
    colour = pick(rng, ((200, 30, 40), (20, 20, 25), (200, 30, 40), (20, 20, 25), (30, 140, 60), (90, 40, 140)))
    if kind < 0.3:  # pips
        mark, corner = int(rng.integers(0, 4)), pick(rng, "A23456789JQKDB")
        for x in (0.3, 0.7) if chance(rng, 0.7) else (0.5,):
            for y in np.linspace(0.2, 0.8, int(rng.integers(1, 5))):
                suit(sheet, (x, y), 0.05, mark, colour)
        sheet.text((0.1, 0.05), corner, 0.09, colour, SERIF[1], "ma")
        suit(sheet, (0.1, 0.19), 0.025, mark, colour)
    elif kind < 0.5:  # a court: a busy picture and its half turn
        sheet.box((0.14, 0.08, 0.86, 0.92), None, colour, 2)
        for _ in range(36):
            x, y = rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.48)
            suit(sheet, (x, y), rng.uniform(0.01, 0.06), int(rng.integers(0, 4)), tone(rng), chance(rng, 0.3))
        sheet.text((0.08, 0.05), pick(rng, "JQKDB"), 0.09, colour, SERIF[1], "ma")
    elif kind < 0.75:  # a ring of colour with a large figure
        sheet.box((0.06, 0.04, 0.94, 0.96), tone(rng), None, 1, 16)
        sheet.pen.ellipse((w * 0.12, h * 0.2, w * 0.88, h * 0.8), (245, 245, 245))
        sheet.text((0.5, 0.5), pick(rng, "0123456789"), 0.4, tone(rng), SANS[1], "mm")
        sheet.text((0.15, 0.07), pick(rng, "0123456789"), 0.09, (245, 245, 245), SANS[1], "ma")
    elif kind < 0.9:  # one to three large signs
        sign, hollow, count = int(rng.integers(0, 4)), chance(rng, 0.4), int(rng.integers(1, 4))
        for k in range(count):
            suit(sheet, (0.5, 0.5 + 0.22 * (k - (count - 1) / 2)), 0.08, sign, colour, hollow)
        return sheet.done()
    else:  # the back
        sheet.box((0.06, 0.04, 0.94, 0.96), tone(rng), None, 1, 8)
        ink = tone(rng)
        for k in range(-20, 30):
            sheet.line(((0.06, 0.04 + k * 0.05), (0.94, 0.04 + k * 0.05 + 0.5)), ink)
            sheet.line(((0.94, 0.04 + k * 0.05), (0.06, 0.04 + k * 0.05 + 0.5)), ink)
        sheet.box((0.06, 0.04, 0.94, 0.96), None, ink, 3, 8)
        return sheet.done()
    face = np.array(sheet.done())
    face[h - h // 2 :] = face[: h // 2][::-1, ::-1]
    return face
