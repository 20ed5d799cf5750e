"""A seed -> an identity card of no country, and its other side."""

from ..fields import person, rows, zone
from ..marks import arms, bars, chip, flag, hologram, matrix_code, scrawl
from ..paper import tinted
from ..sheet import ID1, LONG, Sheet
from ..stock import MACHINE_FACE, MONO, SANS, SERIF
from ..tones import tone
from ..words import chance, date, digits, pick, words

CARD_TITLES = (
    "IDENTITY CARD",
    "IDENTITEITSKAART",
    "PERSONALAUSWEIS",
    "CARTE D'IDENTITE",
    "CARTA DI IDENTITA",
    "OSOBNA KARTA",
    "DOCUMENTO DE IDENTIDAD",
    "RESIDENCE PERMIT",
    "CARTAO DE CIDADAO",
    "DOWOD OSOBISTY",
    "KIMLIK KARTI",
)


def identity_card(stock, rng):
    """An identity card of some other country, with a portrait."""
    w, h = LONG, round(LONG / ID1)
    sheet = Sheet(stock, rng, tinted(rng, (h, w)))
    ink, title = tone(rng, 0, 60), tone(rng, 0, 120)
    right = chance(rng, 0.35)
    if chance(rng, 0.25):
        sheet.box((0, 0, 1, rng.uniform(0.12, 0.2)), tone(rng, 60, 235))
    script, face = pick(rng, ("latin", "latin", "latin", "cyrillic", "greek")), pick(rng, (*SANS, *SERIF))
    start = rng.uniform(0.04, 0.2)
    if chance(rng, 0.5):
        start = 0.16
        if chance(rng, 0.5):
            flag(sheet, 0.04, 0.04, 0.09)
        else:
            arms(sheet, (0.08, 0.09), 0.06)
    sheet.text(
        (start, rng.uniform(0.02, 0.06)), words(rng, 2, script).upper()[:26], rng.uniform(0.05, 0.085), title, face
    )
    sheet.text((start, rng.uniform(0.11, 0.14)), pick(rng, CARD_TITLES), rng.uniform(0.035, 0.05), title, face)
    if chance(rng, 0.4):
        arms(sheet, (rng.uniform(0.75, 0.92), rng.uniform(0.08, 0.5)), rng.uniform(0.06, 0.16))
    high = rng.uniform(0.42, 0.64)
    wide = high * rng.uniform(0.72, 0.86) * h / w
    x = 1 - wide - rng.uniform(0.02, 0.08) if right else rng.uniform(0.02, 0.08)
    y = rng.uniform(0.18, 0.9 - high)
    person(sheet, (x, y, x + wide, y + high))
    left, end = (rng.uniform(0.04, 0.09), x - 0.03) if right else (x + wide + rng.uniform(0.02, 0.06), 0.97)
    size = rng.uniform(0.036, 0.058)
    split = left + (end - left) * rng.uniform(0.5, 0.65) if chance(rng, 0.5) else end
    low = rng.uniform(0.72, 0.95)
    top = rng.uniform(0.18, 0.26)
    rows(sheet, (left, top, split, low), size, size * rng.uniform(1.9, 2.8), chance(rng, 0.85), ink)
    if split < end:
        rows(sheet, (split + 0.02, rng.uniform(0.18, 0.5), end, low), size, size * rng.uniform(1.9, 2.8), True, ink)
    if chance(rng, 0.45):
        ghost = rng.uniform(0.14, 0.28)
        at = end - ghost * 0.8 * h / w - rng.uniform(0, 0.05), rng.uniform(0.3, 0.65)
        person(sheet, (at[0], at[1], at[0] + ghost * 0.8 * h / w, at[1] + ghost), True)
    if chance(rng, 0.25):
        chip(sheet, left if chance(rng, 0.5) else end - 0.16, rng.uniform(0.25, 0.6))
    if chance(rng, 0.6):
        at = rng.uniform(left, max(left, end - 0.25)), rng.uniform(0.76, 0.88)
        scrawl(sheet, (at[0], at[1], at[0] + rng.uniform(0.12, 0.25), at[1] + 0.1), tone(rng, 0, 60))
    if chance(rng, 0.4):
        sheet.text(
            (rng.uniform(0.03, 0.3), 0.87),
            digits(rng, 9),
            rng.uniform(0.05, 0.07),
            ink,
            pick(rng, (*MONO, MACHINE_FACE)),
        )
    if chance(rng, 0.15):
        hologram(sheet)
    return sheet.done()


def card_back(stock, rng):
    """The other side of an identity card: fields, machine-readable zone, codes; no portrait."""
    w, h = LONG, round(LONG / ID1)
    sheet = Sheet(stock, rng, tinted(rng, (h, w)))
    kind, ink = rng.random(), tone(rng, 0, 60)
    if chance(rng, 0.3):
        sheet.box((0, 0.06, 1, 0.24), tone(rng, 10, 60))
    if chance(rng, 0.4):
        chip(sheet, rng.uniform(0.06, 0.8), rng.uniform(0.2, 0.45), 0.22)
    size = rng.uniform(0.035, 0.055)
    x = rng.uniform(0.04, 0.4)
    rows(sheet, (x, rng.uniform(0.05, 0.3), rng.uniform(0.6, 0.97), 0.6), size, size * rng.uniform(1.8, 2.8), True, ink)
    if chance(rng, 0.3):
        arms(sheet, (rng.uniform(0.1, 0.9), rng.uniform(0.15, 0.5)), rng.uniform(0.07, 0.15))
    if chance(rng, 0.3):
        bars(sheet, (0.05, 0.05, rng.uniform(0.3, 0.9), rng.uniform(0.12, 0.22)))
    if chance(rng, 0.25):
        matrix_code(sheet, rng.uniform(0.03, 0.7), rng.uniform(0.1, 0.3), rng.uniform(0.25, 0.4))
    if kind < 0.6:
        zone(sheet, rng.uniform(0.64, 0.7), 3, 30, rng.uniform(0.055, 0.068), 0.04, 0.96, ink)
    elif kind < 0.8:
        for k in range(int(rng.integers(5, 11))):
            y = 0.2 + 0.07 * k
            sheet.line(((0.3, y), (0.95, y)), ink)
            sheet.text(
                (0.32, y + 0.01), pick(rng, ("A", "B", "C1", "D", "BE", "T", "AM")) + "   " + date(rng), 0.045, ink
            )
    return sheet.done()
