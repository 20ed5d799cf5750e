"""A seed -> a letter, form, receipt, certificate, leaf of a book or notebook."""

import numpy as np

from ..marks import arms, bars, matrix_code, scrawl, seal
from ..sheet import A4, LONG, Sheet
from ..stock import MONO, SANS, SERIF
from ..tones import clouds, picture_patch, tone
from ..words import chance, han, pick, words


def page(stock, rng):
    """A letter, form, receipt, certificate, leaf of a book or notebook."""
    kind = rng.choice(7, p=(0.28, 0.16, 0.2, 0.12, 0.1, 0.08, 0.06))
    aspect = pick(rng, (A4, A4, 11 / 8.5)) if kind != 2 else rng.uniform(1.1, 3.2)
    across = chance(rng, 0.12 if kind != 3 else 0.75) and kind != 2
    w, h = (LONG, round(LONG / aspect)) if across else (round(LONG / aspect), LONG)
    base = np.asarray(tone(rng, 215, 256 - 1)) if chance(rng, 0.7) else np.full(3, rng.integers(225, 256))
    sheet = Sheet(stock, rng, np.clip(base + 3 * clouds((h, w), rng)[..., None] * rng.uniform(0, 1.5), 0, 255))
    ink, face = tone(rng, 0, 90), pick(rng, (*SANS, *SERIF, *MONO))
    chinese, script = chance(rng, 0.35), pick(rng, ("latin", "latin", "latin", "cyrillic"))
    size = rng.uniform(0.010, 0.022) * (w / h) ** 0.5 * 1.2
    margin = rng.uniform(0.05, 0.14)

    def sentence(room):
        count = int(room * w / (size * h))
        return (
            han(rng, max(2, count))
            if chinese
            else words(rng, 14, script).lower().capitalize()[: max(3, int(count * 1.8))]
        )

    def block(x0, x1, y, low, full=0.85):
        while y < low:
            sheet.text(
                (x0, y), sentence((x1 - x0) * (1.0 if chance(rng, full) else rng.uniform(0.2, 0.9))), size, ink, face
            )
            y += size * pitch * (2.0 if chance(rng, 0.1) else 1.0)

    pitch = rng.uniform(1.3, 2.3)
    if kind == 0:  # a letter
        if chance(rng, 0.5):
            arms(sheet, (rng.uniform(0.12, 0.85), rng.uniform(0.05, 0.1)), rng.uniform(0.02, 0.05))
        if chance(rng, 0.6):
            sheet.text((0.5, rng.uniform(0.08, 0.16)), sentence(0.25), size * rng.uniform(1.4, 2.4), ink, face, "ma")
        if chance(rng, 0.4):
            block(0.6, 0.95, 0.06, 0.16, 0.3)
        low = rng.uniform(0.4, 0.95)
        block(margin, 1 - margin, rng.uniform(0.18, 0.26), low)
        if chance(rng, 0.5) and low < 0.85:
            scrawl(sheet, (0.55, low + 0.03, 0.8, low + 0.09))
        if chance(rng, 0.2):
            seal(
                sheet,
                (rng.uniform(0.3, 0.8), min(0.9, low + 0.05)),
                0.06,
                None if chance(rng, 0.7) else tone(rng, 20, 120),
            )
    elif kind == 1:  # a form
        sheet.text((0.5, 0.04), sentence(0.4), size * 1.8, ink, face, "ma")
        y = rng.uniform(0.1, 0.2)
        while y < 0.94:
            high = size * rng.uniform(1.8, 4.5)
            edges = [margin, *sorted(rng.uniform(margin, 1 - margin, int(rng.integers(0, 6)))), 1 - margin]
            for a, b in zip(edges, edges[1:]):
                sheet.box((a, y, b, y + high), None, ink, 1)
                if chance(rng, 0.7):
                    sheet.text((a + 0.008, y + size * 0.3), sentence((b - a) * rng.uniform(0.3, 0.9)), size, ink, face)
            y += high + (size * rng.uniform(0, 3) if chance(rng, 0.25) else 0)
        if chance(rng, 0.15):
            seal(sheet, (rng.uniform(0.3, 0.8), rng.uniform(0.6, 0.9)), 0.06)
    elif kind == 2:  # a receipt
        size = rng.uniform(0.03, 0.05) * w / h
        face, y = pick(rng, (*MONO, *MONO, *SANS)), rng.uniform(0.02, 0.08)
        sheet.text((0.5, y), sentence(0.3), size * 1.7, ink, face, "ma")
        y += size * 3
        stop = rng.uniform(0.7, 0.96)
        while y < stop:
            if chance(rng, 0.75):
                sheet.text((0.06, y), sentence(rng.uniform(0.2, 0.5)), size, ink, face)
                sheet.text((0.94, y), f"{rng.uniform(0, 99):.2f}", size, ink, face, "ra")
            elif chance(rng, 0.5):
                sheet.text((0.06, y), "-" * 60, size, ink, face)
            else:
                sheet.text((0.5, y), sentence(0.4), size, ink, face, "ma")
            y += size * rng.uniform(1.3, 1.7)
        if chance(rng, 0.3):
            bars(sheet, (0.15, min(y, 0.9), 0.85, min(y, 0.9) + 0.05))
    elif kind == 3:  # a certificate without emblem and seal, a ticket, a cheque
        colour = tone(rng, 30, 220)
        if chance(rng, 0.5):
            sheet.box((0.03, 0.04, 0.97, 0.96), None, colour, int(rng.integers(1, 6)))
        if chance(rng, 0.5):
            sheet.box(pick(rng, ((0, 0, 1, 0.14), (0, 0.86, 1, 1), (0, 0, 0.12, 1))), colour)
        size *= 1.8
        if chance(rng, 0.5):
            sheet.text((0.5, 0.2), sentence(0.5), size * 2, ink, face, "ma")
            for k in range(int(rng.integers(2, 6))):
                sheet.text((0.5, 0.36 + 0.09 * k), sentence(rng.uniform(0.2, 0.6)), size, ink, face, "ma")
        else:
            for _ in range(int(rng.integers(6, 14))):
                sheet.text(
                    (rng.uniform(0.04, 0.7), rng.uniform(0.05, 0.9)),
                    sentence(rng.uniform(0.1, 0.35)),
                    size * rng.uniform(0.8, 1.8),
                    ink,
                    face,
                )
        if chance(rng, 0.4):
            scrawl(sheet, (0.6, 0.76, 0.85, 0.88))
        if chance(rng, 0.25):
            matrix_code(sheet, 0.75, 0.55, 0.25)
    elif kind == 4:  # columns of print, with pictures
        count = int(rng.integers(1, 5))
        for k in range(count):
            x0 = 0.04 + k * 0.93 / count
            block(x0, x0 + 0.93 / count - 0.02, rng.uniform(0.03, 0.2), 0.97, 0.95)
        if chance(rng, 0.6):
            sheet.box((0.04, 0.02, 0.97, 0.13), tuple(int(c) for c in base))
            sheet.text((0.05, 0.03), sentence(0.2), size * 4, ink, face)
        for _ in range(int(rng.integers(0, 3))):
            a = rng.uniform(0.05, 0.6, 2)
            sheet.paste(picture_patch(stock.photos, rng, (120, 90)), (a[0], a[1], a[0] + 0.33, a[1] + 0.22))
    elif kind == 5:  # written by hand, on lines
        pen, rule = tone(rng, 0, 140), tone(rng, 140, 220)
        step, y = rng.uniform(0.022, 0.05), rng.uniform(0.05, 0.15)
        while y < 0.96:
            sheet.line(((0, y), (1, y)), rule)
            if chance(rng, 0.85):
                x = margin
                while x < rng.uniform(0.4, 1 - margin):
                    long = rng.uniform(0.05, 0.15)
                    scrawl(sheet, (x, y - step * 0.9, x + long, y), pen)
                    x += long + 0.02
            y += step
    else:  # a table or puzzle of squares
        count = int(rng.integers(6, 14))
        for k in range(count + 1):
            t = 0.1 + 0.8 * k / count
            sheet.line(((0.1, t), (0.9, t)), ink, 1 + (k % 3 == 0))
            sheet.line(((t, 0.1), (t, 0.9)), ink, 1 + (k % 3 == 0))
        for _ in range(count * 4):
            a, b = rng.integers(0, count, 2)
            sheet.text(
                (0.1 + 0.8 * (a + 0.5) / count, 0.1 + 0.8 * (b + 0.5) / count),
                pick(rng, "123456789"),
                0.4 / count,
                ink,
                face,
                "mm",
            )
        sheet.text((0.5, 0.02), sentence(0.3), 0.03, ink, face, "ma")
    return sheet.done()
