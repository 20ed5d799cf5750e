"""A sheet -> what it says of a person: portrait, labelled fields, machine-readable zone."""

import cv2
import numpy as np

from .portrait import portrait
from .sheet import INK
from .stock import MACHINE_FACE, MONO, SANS, SERIF
from .tones import tone
from .words import chance, machine_line, pick, value, words


def person(sheet, area, ghost=False, bare=None):
    """A portrait within `area`; without its ground where `bare`."""
    rng = sheet.rng
    size = max(8, int((area[2] - area[0]) * sheet.w)), max(8, int((area[3] - area[1]) * sheet.h))
    face, mask = portrait(sheet.stock, rng, *size)
    if ghost or chance(rng, 0.35):
        face = np.repeat(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        if chance(rng, 0.3):
            face = np.clip(face * np.asarray(tone(rng, 150, 255)) / 215, 0, 255).astype(np.uint8)
    bare = chance(rng, 0.3) if bare is None else bare
    sheet.paste(face, area, mask if bare else None, rng.uniform(0.3, 0.8) if ghost else rng.uniform(0.85, 1.0))
    if not bare and chance(rng, 0.2):
        sheet.box(area, None, tone(rng, 0, 120), 1)


def rows(sheet, area, height, pitch, labels=True, ink=INK, label_ink=None, beside=False, boxed=False):
    """Labelled fields one under the other, in a script of this world."""
    rng = sheet.rng
    script = pick(rng, ("latin", "latin", "latin", "latin", "cyrillic", "greek"))
    face, small = pick(rng, (*SANS, *SANS, *SERIF, *MONO)), pick(rng, SANS)
    label_ink = label_ink or (ink if chance(rng, 0.5) else tone(rng, 30, 150))
    y, wide = area[1], rng.uniform(0.25, 0.4) if beside else 0.0
    while y + height < area[3]:
        text = value(rng, script)
        room = int((area[2] - area[0]) * (1 - wide) * sheet.w / (height * sheet.h * 0.62))
        if labels:
            label = words(rng, rng.integers(1, 4)).lower().capitalize()[: max(3, int(room * (wide or 1.3)))]
            sheet.text((area[0], y), label, height * (0.9 if beside else 0.62), label_ink, small)
        at = (area[0] + wide * (area[2] - area[0]), y if beside or not labels else y + height * 0.72)
        sheet.text(at, text[: max(3, room)], height, ink, face)
        if boxed:
            sheet.line(((area[0], y + height * 1.9), (area[2], y + height * 1.9)), label_ink)
        y += pitch * rng.uniform(0.9, 1.15)


def zone(sheet, top, lines, count, height, left=0.03, right=0.97, ink=INK):
    """The machine-readable zone: characters spread from `left` to `right`."""
    rng = sheet.rng
    face = MACHINE_FACE if chance(rng, 0.85) else pick(rng, MONO)
    if chance(rng, 0.4):
        sheet.box((0, top - height, 1, 1), tone(rng, 215, 255))
    for k in range(lines):
        step = (right - left) / count
        for i, letter in enumerate(machine_line(rng, count)):
            sheet.text((left + (i + 0.5) * step, top + k * height * 1.75), letter, height, ink, face, "ma")
