"""A seed -> what is no document: user interfaces, keyboards, photographs of things, surfaces."""

import cv2
import numpy as np

from ..sheet import LONG, Sheet
from ..stock import MONO, SANS
from ..things import thing
from ..tones import clouds, gradient, picture_patch, tone
from ..words import SCRIPTS, chance, digits, han, pick, word, words


def interface(stock, rng):
    """A window, list, chat, editor or home screen of no program."""
    upright = chance(rng, 0.4)
    w, h = (round(LONG / rng.uniform(1.4, 2.1)), LONG) if upright else (LONG, round(LONG / rng.uniform(1.4, 1.9)))
    dark = chance(rng, 0.45)
    ground = np.full((h, w, 3), tone(rng, 10, 50) if dark else tone(rng, 225, 255), np.float32)
    if chance(rng, 0.15):
        ground = picture_patch(stock.photos, rng, (w, h))
    sheet, ink = Sheet(stock, rng, ground), tone(rng, 170, 240) if dark else tone(rng, 20, 110)
    face, accent = pick(rng, SANS), tone(rng)
    if chance(rng, 0.7):
        sheet.box((0, 0, 1, rng.uniform(0.04, 0.12)), tone(rng, 20, 80) if dark else tone(rng, 180, 245))
        for k in range(int(rng.integers(1, 7))):
            sheet.text((0.03 + 0.15 * k, 0.02), word(rng).lower()[:8], 0.035, ink, face)
    if chance(rng, 0.5):
        sheet.box((0, 0.93, 1, 1), tone(rng, 20, 60) if chance(rng, 0.6) else tone(rng, 190, 240))
        for k in range(int(rng.integers(3, 12))):
            sheet.circle((0.2 + 0.06 * k, 0.965), 0.018, tone(rng))
    left = 0.03
    if chance(rng, 0.45):
        left = rng.uniform(0.12, 0.28)
        sheet.box((0, 0.1, left - 0.02, 0.93), tone(rng, 25, 70) if dark else tone(rng, 200, 250))
        for k in range(int(rng.integers(3, 12))):
            sheet.text((0.02, 0.13 + 0.065 * k), word(rng).lower(), 0.03, ink, face)
    kind = rng.integers(6)
    if kind == 0:  # an editor
        for k in range(int(rng.integers(8, 28))):
            x, y = left + 0.03 * rng.integers(0, 5), 0.12 + 0.029 * k
            for _ in range(int(rng.integers(1, 6))):
                text = word(rng).lower()
                sheet.text((x, y), text, 0.026, tone(rng, 120, 255) if dark else tone(rng, 0, 160), MONO[1])
                x += 0.017 * len(text) * h / w + 0.01
    elif kind == 1:  # icons
        for x in np.arange(0.12, 0.95, 0.2):
            for y in np.arange(0.14, 0.9, rng.uniform(0.15, 0.25)):
                sheet.box((x - 0.05, y - 0.05, x + 0.05, y - 0.05 + 0.1 * w / h), tone(rng), None, 1, 9)
                sheet.text((x, y - 0.04 + 0.1 * w / h), word(rng).lower()[:7], 0.02, ink, face, "ma")
    elif kind == 2:  # a chat
        y = 0.13
        while y < 0.88:
            mine, high = chance(rng, 0.5), rng.uniform(0.05, 0.14)
            x0 = rng.uniform(0.4, 0.6) if mine else left
            sheet.box(
                (x0, y, x0 + rng.uniform(0.25, 0.42), y + high), accent if mine else tone(rng, 60, 230), None, 1, 10
            )
            sheet.text(
                (x0 + 0.02, y + 0.01), words(rng, 3).lower()[:18] if chance(rng, 0.6) else han(rng, 8), 0.028, ink, face
            )
            y += high + 0.03
    elif kind == 3:  # tiles with pictures
        count = int(rng.integers(2, 5))
        for a in range(count):
            for b in range(3):
                x, y, wide = left + a * (1 - left) / count, 0.14 + 0.27 * b, (1 - left) / count - 0.03
                sheet.box((x, y, x + wide, y + 0.24), tone(rng, 40, 255), tone(rng), 1)
                sheet.paste(picture_patch(stock.photos, rng, (80, 60)), (x + 0.01, y + 0.01, x + wide - 0.01, y + 0.16))
                sheet.text((x + 0.01, y + 0.18), words(rng, 2).lower()[:12], 0.025, ink, face)
    elif kind == 4:  # a page of the web, a dialogue
        sheet.text((left + 0.02, 0.18), words(rng, 4).lower().capitalize()[:28], 0.06, ink, face)
        for k in range(int(rng.integers(3, 16))):
            sheet.text(
                (left + 0.02, 0.3 + 0.04 * k), words(rng, int(rng.integers(3, 10))).lower()[:60], 0.025, ink, face
            )
        for _ in range(int(rng.integers(1, 4))):
            x, y = rng.uniform(left, 0.75), rng.uniform(0.5, 0.85)
            sheet.box((x, y, x + 0.18, y + 0.07), accent, None, 1, 6)
            sheet.text((x + 0.02, y + 0.015), word(rng).lower(), 0.035, (250, 250, 250), face)
    else:  # a spreadsheet, a chart
        for k in range(24):
            sheet.line(((left, 0.12 + 0.036 * k), (1, 0.12 + 0.036 * k)), tone(rng, 120, 200))
            sheet.text((left + 0.13 * (k % 7), 0.125 + 0.036 * k), digits(rng, 4), 0.026, ink, face)
        points = [(x, 0.5 + 0.2 * np.sin(9 * x) + rng.normal(0, 0.03)) for x in np.linspace(left, 0.95, 20)]
        sheet.line(points, accent, 2)
    return sheet.done()


def keyboard(stock, rng):
    w, h = LONG, round(LONG / rng.uniform(1.5, 2.4))
    body, cap = tone(rng, 0, 220), tone(rng, 0, 255)
    sheet = Sheet(stock, rng, np.full((h, w, 3), body, np.float32))
    across, down, ink = int(rng.integers(8, 15)), int(rng.integers(4, 7)), tone(rng)
    for a in range(across):
        for b in range(down):
            x, y = (a + 0.5 * (b % 2) / 2) / across, b / down
            sheet.box((x + 0.008, y + 0.02, x + 0.92 / across, y + 0.9 / down), cap, None, 1, 5)
            sheet.text((x + 0.03, y + 0.04), pick(rng, SCRIPTS["latin"]), 0.3 / down, ink)
    return sheet.done()


def no_document(stock, rng):
    kind = rng.random()
    if kind < 0.34:
        return interface(stock, rng)
    if kind < 0.4:
        return keyboard(stock, rng)
    w, h = LONG, round(LONG / rng.uniform(1.3, 1.9))
    if kind < 0.86:
        return picture_patch(stock.photos, rng, (w, h)) if chance(rng, 0.75) else _whole(pick(rng, stock.photos), w, h)
    base = (
        gradient((h, w), tone(rng), tone(rng), rng) if chance(rng, 0.5) else np.ones((h, w, 3), np.float32) * tone(rng)
    )
    base = base * (1 + rng.uniform(0, 0.15) * clouds((h, w), rng))[..., None]
    if chance(rng, 0.5):  # grain of wood or cloth
        fine = rng.normal(0, 1, (int(rng.integers(3, 60)), int(rng.integers(3, 60)))).astype(np.float32)
        base = base * (1 + rng.uniform(0.02, 0.2) * cv2.resize(fine, (w, h), interpolation=cv2.INTER_CUBIC))[..., None]
    base = np.clip(base, 0, 255)
    for _ in range(int(rng.integers(0, 5))):
        base = thing(base, rng)
    if chance(rng, 0.25):  # a blank sheet or frame
        a, b = rng.uniform(0.02, 0.4, 2), rng.uniform(0.6, 0.98, 2)
        cv2.rectangle(
            base, (int(a[0] * w), int(a[1] * h)), (int(b[0] * w), int(b[1] * h)), tone(rng), int(pick(rng, (-1, 2, 6)))
        )
    return np.clip(base, 0, 255).astype(np.uint8)


def _whole(photo, w, h):
    return cv2.resize(photo, (w, h), interpolation=cv2.INTER_AREA)
