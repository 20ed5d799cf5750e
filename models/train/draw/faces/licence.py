"""A seed -> a business licence or certificate."""

import numpy as np

from ..marks import arms, emblem, matrix_code, scrawl, seal
from ..sheet import A4, LONG, Sheet
from ..stock import HAN_FACE, SANS, SERIF
from ..tones import gradient, tone, waves
from ..words import chance, date, digits, han, pick, word, words

LICENCE_TITLES = ("BUSINESS LICENCE", "OPERATING PERMIT", "CERTIFICATE OF REGISTRATION", "LICENCE", "TRADE CERTIFICATE")
HAN_LICENCES = (
    "营业执照",
    "营业执照",
    "营业执照",
    "食品经营许可证",
    "开户许可证",
    "事业单位法人证书",
    "资质证书",
    "登记证书",
    "经营许可证",
    "社会团体法人登记证书",
)
LICENCE_FIELDS = (
    "名称",
    "类型",
    "法定代表人",
    "经营范围",
    "注册资本",
    "成立日期",
    "营业期限",
    "住所",
    "经营场所",
    "组成形式",
)


def ornament(sheet, colour):
    """A border of frames, waves and corner pieces."""
    rng, w, h = sheet.rng, sheet.w, sheet.h
    inset = rng.uniform(0.015, 0.05) * min(w, h)
    thick = rng.uniform(0.015, 0.045) * min(w, h)
    for step in (0.0, thick):
        a = inset + step
        sheet.pen.rectangle((a, a, w - a, h - a), outline=colour, width=int(rng.integers(1, 4)))
    period = rng.uniform(8, 26)
    for phase in np.linspace(0, 2 * np.pi, int(rng.integers(1, 4)), endpoint=False):
        for along, reach in (("x", w), ("y", h)):
            t = np.arange(inset, reach - inset, 2)
            swing = inset + thick / 2 + thick / 2 * np.sin(t * 2 * np.pi / period + phase)
            for line in (swing, (h if along == "x" else w) - swing):
                points = zip(t, line) if along == "x" else zip(line, t)
                sheet.pen.line([(float(a), float(b)) for a, b in points], fill=colour, width=1)
    if chance(rng, 0.4):
        r = thick * rng.uniform(0.7, 1.3)
        for x in (inset + r, w - inset - r):
            for y in (inset + r, h - inset - r):
                sheet.pen.ellipse(
                    (x - r, y - r, x + r, y + r), outline=colour, fill=tuple(min(255, c + 30) for c in colour)
                )


def licence(stock, rng):
    """A business licence or certificate: border, emblem, large title, fields, seal, mostly a matrix code."""
    upright = chance(rng, 0.45)
    w, h = (round(LONG / A4), LONG) if upright else (LONG, round(LONG / A4))
    base = np.array([rng.integers(235, 256), rng.integers(235, 254), rng.integers(215, 250)])
    ground = np.clip(gradient((h, w), base, base - rng.uniform(0, 15), rng), 0, 255).astype(np.uint8)
    if chance(rng, 0.6):
        ground = waves(
            ground,
            rng,
            int(rng.integers(20, 60)),
            pick(rng, ((225, 200, 150), (200, 215, 225), (230, 190, 190), (200, 220, 190))),
            rng.uniform(0.1, 0.5),
        )
    sheet = Sheet(stock, rng, ground)
    colour = pick(rng, ((190, 150, 70), (205, 165, 60), (160, 60, 50), (90, 130, 90), (180, 140, 100), (70, 100, 150)))
    if chance(rng, 0.94):
        ornament(sheet, colour)
    ink, chinese = tone(rng, 5, 60), chance(rng, 0.75)
    size = (0.022 if upright else 0.036) * rng.uniform(0.85, 1.15)
    y = rng.uniform(0.1, 0.14)
    if chance(rng, 0.88):
        (emblem if chance(rng, 0.8) else arms)(sheet, (0.5, y), (0.045 if upright else 0.07) * rng.uniform(0.8, 1.3))
    y += (0.06 if upright else 0.09) * rng.uniform(0.9, 1.2)
    high = (0.06 if upright else 0.1) * rng.uniform(0.8, 1.15)
    title = pick(rng, HAN_LICENCES) if chinese else pick(rng, LICENCE_TITLES)
    font = HAN_FACE if chinese else pick(rng, (SERIF[1], SANS[1], SERIF[0]))
    if not chinese or len(title) > 6:
        high = min(high, 0.8 * w / h / (len(title) * (1.0 if chinese else 0.68)))
    spaced = "  ".join(title) if chinese and chance(rng, 0.5) and len(title) <= 4 else title
    sheet.text((0.5, y), spaced, high, ink, font, "ma")
    y += high * 1.25
    if chance(rng, 0.5):
        sheet.text((0.5, y), "（副 本）" if chinese else words(rng, 2), size * 1.2, ink, None, "ma")
    y += size * 1.8
    credit = digits(rng, 18)
    if chance(rng, 0.7):
        where = pick(rng, ("left", "centre"))
        sheet.text(
            (0.1 if where == "left" else 0.5, 0.2 if where == "left" and not upright else y),
            ("统一社会信用代码 " if chinese else "NO. ") + credit,
            size * 0.9,
            ink,
            None,
            "la" if where == "left" else "ma",
        )
        y += size * 1.8
    code_at = None
    if chance(rng, 0.75):
        side = (0.11 if upright else 0.17) * rng.uniform(0.85, 1.4)
        code_at = pick(rng, ((0.84 - side * h / w, 0.12), (0.1, 0.76), (0.12, 0.1), (0.8 - side * h / w, 0.3)))
    columns = ((0.1, 0.5), (0.53, 0.92)) if not upright and chance(rng, 0.75) else ((rng.uniform(0.1, 0.18), 0.9),)
    pitch, face = size * rng.uniform(1.7, 2.6), pick(rng, (*SANS, *SERIF))
    for x0, x1 in columns:
        row = y + 0.02
        for key in rng.permutation(LICENCE_FIELDS)[: int(rng.integers(3, 9))]:
            if row > rng.uniform(0.68, 0.82):
                break
            room = int((x1 - x0) * w / (size * h)) - 6
            key, text = (
                (key, han(rng, int(rng.integers(3, max(5, room)))))
                if chinese
                else (word(rng).upper()[:8], words(rng, 4)[: max(8, int(room * 1.4))])
            )
            if chinese and chance(rng, 0.3):
                text = f"{rng.integers(1990, 2024)}年{rng.integers(1, 13):02}月{rng.integers(1, 29):02}日"
            sheet.text((x0, row), key, size * 0.95, tone(rng, 20, 110), face)
            for line in range(1 if chance(rng, 0.75) else int(rng.integers(2, 5))):
                if line:
                    row, text = (
                        row + size * 1.4,
                        han(rng, max(4, room - 2)) if chinese else words(rng, 4)[: max(8, room)],
                    )
                sheet.text((x0 + 5.5 * size * h / w, row), text, size, ink, face)
            row += pitch
    if code_at:
        matrix_code(sheet, *code_at, side)
    at = rng.uniform(0.6, 0.82), rng.uniform(0.74, 0.85)
    if chance(rng, 0.7):
        sheet.text(
            (at[0] - 0.12, at[1]),
            f"{rng.integers(1990, 2024)} 年 {rng.integers(1, 13)} 月 {rng.integers(1, 29)} 日"
            if chinese
            else date(rng),
            size,
            ink,
            face,
        )
        sheet.text((at[0] - 0.14, at[1] - 2.5 * size), "登记机关" if chinese else words(rng, 2), size * 1.1, ink, face)
    if chance(rng, 0.88):
        seal(sheet, at, (0.075 if upright else 0.115) * rng.uniform(0.8, 1.25))
    if chance(rng, 0.12):
        x = rng.uniform(0.1, 0.5)
        scrawl(sheet, (x, 0.82, x + 0.2, 0.9))
    return sheet.done()
