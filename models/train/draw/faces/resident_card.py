"""A seed -> both sides of the Chinese resident identity card."""

import numpy as np

from ..fields import person
from ..marks import emblem
from ..paper import chinese_ground, tinted
from ..sheet import BLUE, ID1, LONG, Sheet
from ..stock import MACHINE_FACE, SANS, SERIF
from ..tones import tone
from ..words import chance, digits, han, pick, value, words


def resident_card(stock, rng):
    """The side with the portrait of the Chinese resident identity card."""
    w, h = LONG, round(LONG / ID1)
    sheet = Sheet(stock, rng, chinese_ground(stock, rng, (h, w)))
    label = tuple(int(c) for c in np.clip(np.asarray(BLUE) + rng.normal(0, 20, 3), 0, 255))
    ink, j = tone(rng, 5, 50), lambda: rng.normal(0, 0.006)
    small, size = 0.05 * rng.uniform(0.9, 1.1), 0.062 * rng.uniform(0.9, 1.1)
    left, body = 0.07 + j(), 0.185 + j()

    def put(x, y, key, text):
        sheet.text((x, y + 0.006), key, small, label)
        sheet.text((x + body - left, y), text, size, ink)

    put(left, 0.11 + j(), "姓名", han(rng, int(rng.integers(2, 5))))
    y = 0.24 + j()
    put(left, y, "性别", pick(rng, ("男", "女")))
    put(left + 0.2, y, "民族", pick(rng, ("汉", "汉", "满", "回", "壮", "维吾尔")))
    y = 0.365 + j()
    put(left, y, "出生", f"{rng.integers(1940, 2012)} 年 {rng.integers(1, 13)} 月 {rng.integers(1, 29)} 日")
    y = 0.495 + j()
    put(left, y, "住址", han(rng, 11))
    for k in range(int(rng.integers(0, 3))):
        sheet.text((body, y + 0.085 * (k + 1)), han(rng, int(rng.integers(3, 12))), size, ink)
    y = 0.845 + j()
    sheet.text((left, y), "公民身份号码", small * 1.05, label)
    sheet.text(
        (0.34 + j(), y - 0.008),
        digits(rng, 17) + pick(rng, "0123456789X"),
        0.078,
        ink,
        pick(rng, (MACHINE_FACE, MACHINE_FACE, "LiberationSans-Bold.ttf", "DejaVuSansMono.ttf")),
    )
    person(sheet, (0.63 + j(), 0.12 + j(), 0.935 + j(), 0.755 + j()), bare=chance(rng, 0.75))
    return sheet.done()


def emblem_card(stock, rng):
    """Its other side: emblem, two lines of title, who issued it and how long it holds."""
    w, h = LONG, round(LONG / ID1)
    ground = chinese_ground(stock, rng, (h, w)) if chance(rng, 0.8) else tinted(rng, (h, w), 200)
    sheet = Sheet(stock, rng, ground)
    j, ink = lambda: rng.normal(0, 0.01), tone(rng, 5, 55)
    if chance(rng, 0.6):  # a wall over hills
        x = np.linspace(0, 1, 30)
        base = rng.uniform(0.5, 0.68) + 0.08 * np.sin(x * rng.uniform(3, 9) + rng.uniform(0, 6))
        wall = tuple(int(c) for c in np.clip(np.asarray((205, 190, 195)) + rng.normal(0, 14, 3), 0, 255))
        for k in range(int(rng.integers(2, 6))):
            sheet.line(list(zip(x, base + 0.03 * k + rng.normal(0, 0.008, 30))), wall, rng.uniform(1, 3))
    emblem(sheet, (0.165 + j(), 0.25 + 1.5 * j()), rng.uniform(0.14, 0.19))
    if chance(rng, 0.82):
        middle = 0.62 + j()
        sheet.text((middle, 0.13 + j()), "中华人民共和国", 0.09 * rng.uniform(0.9, 1.1), ink, anchor="ma")
        sheet.text(
            (middle, 0.265 + j()),
            pick(rng, ("居民身份证", "居 民 身 份 证")),
            0.13 * rng.uniform(0.9, 1.1),
            ink,
            anchor="ma",
        )
        keys, texts = (
            ("签发机关", "有效期限"),
            (
                han(rng, int(rng.integers(5, 11))),
                f"{rng.integers(2005, 2024)}.{rng.integers(1, 13):02}.{rng.integers(1, 29):02}-"
                + pick(rng, ("长期", f"{rng.integers(2015, 2044)}.{rng.integers(1, 13):02}.{rng.integers(1, 29):02}")),
            ),
        )
        for k, (key, text) in enumerate(zip(keys, texts)):
            y = (0.715, 0.84)[k] + j()
            sheet.text((0.19 + j(), y), key, 0.056, tone(rng, 10, 90))
            sheet.text((0.4 + j(), y), text, 0.06, ink)
    else:  # the same build in another script
        face = pick(rng, (*SANS, *SERIF))
        for y, size, count in ((0.13, 0.075, 2), (0.27, 0.09, 2)):
            sheet.text((0.62 + j(), y + j()), words(rng, count).upper()[:20], size, ink, face, "ma")
        for y in (0.71, 0.84):
            sheet.text((0.12 + j(), y + j()), words(rng, 1)[:9], 0.05, tone(rng, 10, 120), face)
            sheet.text((0.36 + j(), y + j()), value(rng, "latin")[:22], 0.058, ink, face)
    return sheet.done()
