"""A seed -> a driving licence: Chinese, European, American or upright."""

import numpy as np

from ..fields import person, rows
from ..marks import scrawl, seal
from ..paper import tinted
from ..sheet import ID1, LONG, Sheet
from ..stock import SANS
from ..tones import gradient, tone, waves
from ..words import chance, date, digits, han, pick, value, words
from .identity_card import CARD_TITLES

DRIVING_TITLES = (
    "DRIVING LICENCE",
    "DRIVER LICENSE",
    "PERMIS DE CONDUIRE",
    "FUHRERSCHEIN",
    "PATENTE DI GUIDA",
    "KORKORT",
)


def driving_licence(stock, rng):
    w, h = LONG, round(LONG / ID1)
    if chance(rng, 0.1):
        return upright_licence(stock, rng)
    base = pick(rng, ((235, 200, 205), (240, 215, 220), (205, 225, 205), (200, 215, 235), (225, 225, 230)))
    ground = np.clip(gradient((h, w), base, np.asarray(base) + rng.normal(0, 18, 3), rng), 0, 255).astype(np.uint8)
    for _ in range(2):
        ground = waves(ground, rng, int(rng.integers(8, 40)), tone(rng, 100, 225), rng.uniform(0.1, 0.5))
    sheet, ink = Sheet(stock, rng, ground), tone(rng, 0, 60)
    face = pick(rng, SANS)
    kind = rng.random()
    if kind < 0.25:  # Chinese: portrait at the lower right, a table of fields, a seal
        for k, text in enumerate(("中华人民共和国机动车驾驶证", "Driving License of the People's Republic of China")):
            sheet.text((0.5, 0.04 + 0.09 * k), text, (0.065, 0.04)[k], ink, face, "ma")
        sheet.text((0.3, 0.17), "证号  " + digits(rng, 18), 0.055, ink)
        for k, key in enumerate(("姓名", "住址", "出生日期", "初次领证", "准驾车型", "有效期限")):
            y = 0.27 + 0.115 * k
            at = 0.06 if k < 2 else 0.3
            sheet.text((at, y), key, 0.042, (90, 90, 90))
            sheet.text(
                (at + 0.12, y - 0.01),
                han(rng, int(rng.integers(3, 14 if k == 1 else 7))) if k < 2 else date(rng),
                0.055,
                ink,
            )
        if chance(rng, 0.8):
            seal(sheet, (0.17, 0.7), 0.16)
        person(sheet, (0.74, 0.4, 0.95, 0.92), bare=False)
        return sheet.done()
    if kind < 0.7:  # European: flag, numbered fields
        sheet.box((0.02, 0.03, 0.14, 0.17), (30, 60, 160))
        for t in np.linspace(0, 2 * np.pi, 12, endpoint=False):
            sheet.circle((0.08 + 0.035 * np.cos(t), 0.1 + 0.05 * np.sin(t)), 0.007, (240, 210, 60))
        sheet.text((0.2, 0.04), pick(rng, DRIVING_TITLES), 0.075, tone(rng, 0, 160), face)
        sheet.text((0.62, 0.05), words(rng, 2)[:16], 0.045, ink, face)
        x, high = rng.uniform(0.02, 0.07), rng.uniform(0.45, 0.58)
        wide = high * 0.78 * h / w
        y = rng.uniform(0.22, 0.32)
        person(sheet, (x, y, x + wide, y + high))
        at, row = x + wide + 0.04, 0.2
        for number in ("1.", "2.", "3.", "4a.", "4b.", "4c.", "5.", "8.", "9."):
            sheet.text((at, row), f"{number} {value(rng, 'latin')[:24]}", 0.052, ink, face)
            row += rng.uniform(0.066, 0.085)
        if chance(rng, 0.6):
            scrawl(sheet, (at, 0.78, at + 0.25, 0.9))
    else:  # a coloured head, a large portrait at the left, a small one at the right
        band = rng.uniform(0.13, 0.22)
        sheet.box((0, 0, 1, band), tone(rng, 20, 180))
        sheet.text((0.04, 0.03), words(rng, 1).upper(), 0.1, tone(rng, 200, 255), face)
        sheet.text((0.5, 0.04), pick(rng, DRIVING_TITLES), 0.06, tone(rng, 200, 255), face)
        right = chance(rng, 0.2)
        x = 0.68 if right else 0.03
        person(sheet, (x, band + 0.05, x + 0.28, band + 0.62))
        left = 0.05 if right else 0.35
        rows(sheet, (left, band + 0.06, left + 0.34, 0.95), 0.05, 0.1, True, ink)
        if not right:
            person(sheet, (0.8, 0.55, 0.95, 0.85), True)
        scrawl(sheet, (x, 0.86, x + 0.25, 0.97))
    return sheet.done()


def upright_licence(stock, rng):
    """A licence or badge that stands upright."""
    w, h = round(LONG / ID1), LONG
    sheet = Sheet(stock, rng, tinted(rng, (h, w)))
    sheet.box((0, 0, 1, rng.uniform(0.1, 0.16)), tone(rng, 20, 180))
    sheet.text((0.5, 0.03), pick(rng, (*DRIVING_TITLES, *CARD_TITLES)), 0.042, (245, 245, 245), None, "ma")
    x = rng.uniform(0.05, 0.35)
    person(sheet, (x, 0.2, x + 0.5, 0.56))
    rows(sheet, (0.06, 0.6, 0.95, 0.96), 0.032, 0.066)
    return sheet.done()
