"""A seed -> a passport: the data page alone, or the open booklet."""

import numpy as np
from PIL import Image

from ..fields import person, rows, zone
from ..marks import arms, hologram, scrawl
from ..paper import tinted
from ..sheet import ID3, LONG, RED, Sheet
from ..stock import SANS, SERIF
from ..tones import tone, waves
from ..words import SCRIPTS, chance, digits, pick, word, words


def data_page(sheet, top, bottom):
    """A passport's data page between two heights of the sheet: portrait, fields, machine-readable zone."""
    rng, high = sheet.rng, bottom - top
    at = lambda y: top + y * high
    ink, face = tone(rng, 0, 60), pick(rng, (*SANS, *SERIF))
    old = chance(rng, 0.14)  # an inner passport or an old one, without the zone
    script = pick(rng, ("latin", "latin", "cyrillic", "greek"))
    if not old or chance(rng, 0.4):
        x = rng.uniform(0.03, 0.4)
        sheet.text(
            (x, at(rng.uniform(0.02, 0.06))),
            words(rng, int(rng.integers(1, 4)), script).upper()[:24],
            high * rng.uniform(0.04, 0.075),
            tone(rng, 0, 120),
            face,
        )
        if chance(rng, 0.6):
            sheet.text(
                (0.04, at(0.12)),
                pick(rng, ("PASSPORT", "PASSEPORT", "PASAPORTE", "REISEPASS", "护照 PASSPORT")),
                high * rng.uniform(0.03, 0.05),
                ink,
                face,
            )
    if chance(rng, 0.35):
        arms(sheet, (rng.uniform(0.75, 0.95), at(rng.uniform(0.1, 0.5))), high * rng.uniform(0.05, 0.12))
    tall = rng.uniform(0.38, 0.52)
    wide = tall * high * rng.uniform(0.74, 0.84) * sheet.h / sheet.w
    right = chance(rng, 0.06)
    x, y = (1 - wide - rng.uniform(0.03, 0.07)) if right else rng.uniform(0.02, 0.07), rng.uniform(0.16, 0.3)
    person(sheet, (x, at(y), x + wide, at(y + tall)))
    left, end = (0.05, x - 0.03) if right else (x + wide + rng.uniform(0.03, 0.06), 0.97)
    size = high * rng.uniform(0.032, 0.046)
    if old:
        for k in range(int(rng.integers(5, 9))):
            row = at(0.1 + 0.085 * k)
            if chance(rng, 0.6):
                sheet.line(((left, row + size * 1.3), (end, row + size * 1.3)), tone(rng, 80, 160))
            sheet.text(
                ((left + end) / 2, row),
                words(rng, int(rng.integers(1, 3)), script).upper(),
                size * 1.15,
                ink,
                face,
                "ma",
            )
        if chance(rng, 0.6):
            for k, letter in enumerate(digits(rng, 10)):
                sheet.text((0.965, at(0.15 + 0.05 * k)), letter, size, RED if chance(rng, 0.7) else ink, face, "ma")
        if chance(rng, 0.5):
            waste = np.asarray(sheet.image)
            shaded = waves(waste, rng, 30, tone(rng, 120, 200), 0.4)
            sheet.image.paste(Image.fromarray(shaded[int(at(0.72) * sheet.h) :]), (0, int(at(0.72) * sheet.h)))
    else:
        if chance(rng, 0.8):
            for k, text in enumerate(("P", word(rng)[:3].upper(), digits(rng, 9))):
                sheet.text((left + (end - left) * (0.0, 0.2, 0.55)[k], at(0.16)), text, size, ink, face)
        split = left + (end - left) * rng.uniform(0.5, 0.7) if chance(rng, 0.35) else end
        rows(
            sheet,
            (left, at(rng.uniform(0.2, 0.25)), split, at(rng.uniform(0.68, 0.77))),
            size,
            size * rng.uniform(1.7, 2.3),
            chance(rng, 0.85),
            ink,
        )
        if split < end:
            rows(sheet, (split + 0.02, at(0.25), end, at(0.74)), size, size * rng.uniform(1.8, 2.5), True, ink)
        zone(
            sheet,
            at(rng.uniform(0.81, 0.85)),
            2,
            44,
            high * rng.uniform(0.042, 0.055),
            0.03,
            rng.uniform(0.93, 0.975),
            ink,
        )
    if chance(rng, 0.3):
        person(sheet, (0.84, at(0.45), 0.84 + 0.16 * high * sheet.h / sheet.w, at(0.67)), True)
    if chance(rng, 0.5):
        x = rng.uniform(0.1, 0.7)
        scrawl(sheet, (x, at(0.66), x + 0.18, at(0.76)), tone(rng, 0, 60))
    if chance(rng, 0.25):
        hologram(sheet)


def passport(stock, rng):
    """One page, or the open booklet with the data page below."""
    if chance(rng, 0.72):
        sheet = Sheet(stock, rng, tinted(rng, (round(LONG / ID3), LONG), 190))
        data_page(sheet, 0.0, 1.0)
        return sheet.done()
    w, h = round(LONG / ID3), LONG
    sheet = Sheet(stock, rng, tinted(rng, (h, w), 190))
    if chance(rng, 0.6):
        ink = tone(rng, 20, 120)
        y = rng.uniform(0.04, 0.2)
        while y < rng.uniform(0.25, 0.45):
            sheet.text(
                (0.5, y),
                words(rng, int(rng.integers(1, 6)), pick(rng, tuple(SCRIPTS)))[:44],
                rng.uniform(0.014, 0.024),
                ink,
                None,
                "ma",
            )
            y += rng.uniform(0.025, 0.05)
    if chance(rng, 0.4):
        arms(sheet, (rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.35)), rng.uniform(0.04, 0.12))
    if chance(rng, 0.3):
        scrawl(sheet, (0.3, 0.36, 0.7, 0.45))
    shadow = np.asarray(sheet.image).astype(np.float32)
    fold = np.exp(-((np.arange(h) / h - 0.5) ** 2) / rng.uniform(0.0002, 0.002))
    sheet.image.paste(Image.fromarray((shadow * (1 - rng.uniform(0.05, 0.4) * fold)[:, None, None]).astype(np.uint8)))
    data_page(sheet, 0.5, 1.0)
    return sheet.done()
