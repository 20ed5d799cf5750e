"""A seed to the upright face of a made-up document, and to what the classifier of documents sees of it.

Faces of seven kinds are drawn at `LONG` pixels on their long side. `view` lays one on a ground, cuts it out again as
the locator would, a little beside its corners, lights and photographs it, and lays its longer side across.
The typefaces are files of Debian's font packages (`lines.PACKAGES`); names, numbers and texts are random.
"""

import os

import cv2
import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from lines import PACKAGES
from scenes import SKINS, clouds, gradient, light, picture_patch, thing, tone, waves

KINDS = ("portrait_side", "emblem_side", "card", "passport_page", "licence", "page", "none")
SHARES = (0.2, 0.11, 0.17, 0.14, 0.12, 0.13, 0.13)
WIDTH, HEIGHT, LONG = 192, 120, 480
UNTURNED = -1  # of what has no right way up
ID1, ID3, A4 = 85.6 / 54.0, 125 / 88, 2**0.5
SANS = (
    "LiberationSans-Regular.ttf",
    "LiberationSans-Bold.ttf",
    "DejaVuSans.ttf",
    "DejaVuSansCondensed-Bold.ttf",
    "Roboto-Regular.ttf",
    "RobotoCondensed-Regular.ttf",
    "LiberationSansNarrow-Regular.ttf",
    "FreeSans.ttf",
    "Lato-Regular.ttf",
    "Lato-Bold.ttf",
)
SERIF = ("LiberationSerif-Regular.ttf", "LiberationSerif-Bold.ttf", "FreeSerif.ttf", "DejaVuSerif.ttf")
MONO = ("LiberationMono-Regular.ttf", "DejaVuSansMono.ttf", "Inconsolata.otf", "FreeMonoBold.ttf")
HAN_FACE, MACHINE_FACE = "wqy-microhei.ttc", "OCRB.otf"
# The 3755 common characters of GB 2312.
COMMON_HAN = [
    bytes((high, low)).decode("gb2312")
    for high in range(0xB0, 0xD8)
    for low in range(0xA1, 0xFF)
    if (high, low) < (0xD7, 0xFA)
]
SCRIPTS = {
    "latin": "ABCDEFGHIJKLMNOPRSTUVYZ",
    "cyrillic": "АБВГДЕЖЗИКЛМНОПРСТУХЦЧШЭЮЯ",
    "greek": "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
}
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
DRIVING_TITLES = (
    "DRIVING LICENCE",
    "DRIVER LICENSE",
    "PERMIS DE CONDUIRE",
    "FUHRERSCHEIN",
    "PATENTE DI GUIDA",
    "KORKORT",
)
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
INK, BLUE, RED, GOLD = (25, 25, 30), (40, 95, 165), (195, 35, 40), (214, 168, 70)


class Stock:
    """What the drawing takes from outside: typefaces, photographs of things, portraits (may be none)."""

    def __init__(self, photos, portraits=(), folders=()):
        self.photos, self.portraits, self.fonts = photos, portraits, {}
        found = sorted(font_manager.findSystemFonts()) + sorted(font_manager.findSystemFonts(list(folders)))
        self.files = {os.path.basename(path): path for path in found}
        missing = [n for n in (*SANS, *SERIF, *MONO, HAN_FACE, MACHINE_FACE) if n not in self.files]
        if missing:
            raise SystemExit(f"no {', '.join(missing)}: install {PACKAGES} or name their folder with --fonts")

    def font(self, name, size):
        key = (name, max(4, round(size)))
        if key not in self.fonts:
            self.fonts[key] = ImageFont.truetype(self.files[name], key[1], layout_engine=ImageFont.Layout.BASIC)
        return self.fonts[key]


class Sheet:
    """A face in the making. Places are shares of its width and height, heights of text shares of its height."""

    def __init__(self, stock, rng, ground):
        self.stock, self.rng = stock, rng
        self.image = Image.fromarray(np.ascontiguousarray(np.clip(ground, 0, 255).astype(np.uint8)))
        self.w, self.h = self.image.size
        self.pen = ImageDraw.Draw(self.image)

    def text(self, at, text, height, colour=INK, font=None, anchor="la"):
        if font is None or any(ord(c) > 0x2E00 for c in text):
            font = HAN_FACE if any(ord(c) > 0x2E00 for c in text) else SANS[self.rng.integers(len(SANS))]
        self.pen.text(
            (at[0] * self.w, at[1] * self.h),
            text,
            font=self.stock.font(font, height * self.h),
            fill=colour,
            anchor=anchor,
        )

    def box(self, area, colour, outline=None, width=1, radius=0):
        x0, y0, x1, y1 = area[0] * self.w, area[1] * self.h, area[2] * self.w, area[3] * self.h
        self.pen.rounded_rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), radius, colour, outline, width)

    def paste(self, pixels, area, mask=None, weight=1.0):
        x0, y0 = int(area[0] * self.w), int(area[1] * self.h)
        size = max(2, int((area[2] - area[0]) * self.w)), max(2, int((area[3] - area[1]) * self.h))
        patch = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BOX)
        if mask is None:
            mask = np.full(pixels.shape[:2], 255, np.uint8)
        cover = Image.fromarray((mask * weight).astype(np.uint8)).resize(size, Image.Resampling.BOX)
        self.image.paste(patch, (x0, y0), cover)

    def circle(self, centre, radius, colour=None, outline=None, width=1):
        """`radius` is a share of the height."""
        x, y, r = centre[0] * self.w, centre[1] * self.h, radius * self.h
        self.pen.ellipse((x - r, y - r, x + r, y + r), colour, outline, width)

    def star(self, centre, radius, colour):
        x, y, r = centre[0] * self.w, centre[1] * self.h, radius * self.h
        angles = np.arange(10) * np.pi / 5 - np.pi / 2
        reach = np.where(np.arange(10) % 2 == 0, r, 0.4 * r)
        self.pen.polygon([(x + a * np.cos(t), y + a * np.sin(t)) for a, t in zip(reach, angles)], fill=colour)

    def line(self, points, colour, width=1):
        self.pen.line(
            [(x * self.w, y * self.h) for x, y in points], fill=colour, width=max(1, round(width)), joint="curve"
        )

    def done(self):
        return np.asarray(self.image)


# ---- Words


def chance(rng, share):
    return rng.random() < share


def pick(rng, choices):
    return choices[rng.integers(len(choices))]


def word(rng, script="latin", low=3, high=11):
    text = "".join(rng.choice(list(SCRIPTS[script]), rng.integers(low, high)))
    return text if chance(rng, 0.5) else text.capitalize()


def words(rng, count, script="latin"):
    return " ".join(word(rng, script, 2) for _ in range(count))


def han(rng, count):
    return "".join(rng.choice(COMMON_HAN, count))


def digits(rng, count):
    return "".join(str(d) for d in rng.integers(0, 10, count))


def date(rng):
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1950, 2035)
    return pick(
        rng,
        (
            f"{day:02}.{month:02}.{year}",
            f"{day:02}/{month:02}/{year}",
            f"{year}-{month:02}-{day:02}",
            f"{day:02} {month:02} {year}",
        ),
    )


def value(rng, script):
    return pick(
        rng, (words(rng, rng.integers(1, 4), script), date(rng), digits(rng, rng.integers(4, 12)), word(rng, script))
    )


def machine_line(rng, count):
    """As in a machine-readable zone: letters, digits and fillers."""
    text = (
        word(rng, "latin", 4, 9).upper()
        + "<<"
        + "".join(rng.choice(list("ABCDEFGHIJKLMNOP0123456789<"), rng.integers(4, 26)))
    )
    return (text + "<" * count)[: count - 2] + digits(rng, 2)


# ---- Parts


def tinted(rng, shape, low=185, spread=22, strength=0.6):
    """Security paper: a pale gradient with line art."""
    h, w = shape
    base = rng.integers(low, 250, 3) if chance(rng, 0.75) else np.full(3, rng.integers(210, 250))
    ground = gradient(shape, base, np.clip(base + rng.normal(0, spread, 3), 0, 255), rng)
    if chance(rng, 0.3):
        ground = ground + 6 * clouds(shape, rng)[..., None] * rng.normal(0, 1, 3)
    ground = np.clip(ground, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 3))):
        ground = waves(ground, rng, int(rng.integers(8, 46)), tone(rng, 60, 220), rng.uniform(0.1, strength))
    for _ in range(int(rng.integers(0, 3))):
        layer = ground.copy()
        centre, radius, lobes = rng.uniform(0.1, 0.9, 2) * (w, h), rng.uniform(0.1, 0.5) * h, rng.integers(4, 14)
        t, ink = np.linspace(0, 2 * np.pi, 160), tone(rng, 60, 220)
        for phase in np.linspace(0, 2 * np.pi, int(rng.integers(4, 12)), endpoint=False):
            r = radius * (0.7 + 0.3 * np.sin(lobes * t + phase))
            points = np.stack([centre[0] + r * np.cos(t), centre[1] + r * np.sin(t)], 1).astype(np.int32)
            cv2.polylines(layer, [points], True, ink, 1, cv2.LINE_AA)
        ground = cv2.addWeighted(layer, rng.uniform(0.2, strength), ground, 1 - rng.uniform(0.2, strength), 0)
    return ground


def vivid(rng, shape, photos):
    """The ground of a bank or trading card."""
    kind = rng.random()
    if kind < 0.3:
        return picture_patch(photos, rng, shape[::-1]).astype(np.float32) * rng.uniform(0.4, 1.0)
    ground = gradient(shape, tone(rng), tone(rng), rng)
    if kind < 0.6:
        ground = ground + 25 * clouds(shape, rng, (3, 6))[..., None] * rng.normal(0, 1, 3)
    if kind > 0.8:
        ground = waves(np.clip(ground, 0, 255).astype(np.uint8), rng, int(rng.integers(4, 20)), tone(rng), 0.5)
    return ground


def portrait(stock, rng, width, height):
    """-> pixels and mask of a picture of a person, photographed where there is one in stock, else drawn."""
    if len(stock.portraits) and chance(rng, 0.6):
        face = pick(rng, stock.portraits)
        h, w = face.shape[:2]
        x, y, r, b = (rng.uniform(0, 0.12, 4) * (w, h, w, h)).astype(int)
        face = cv2.resize(face[y : h - b, x : w - r], (width, height), interpolation=cv2.INTER_AREA)
        if chance(rng, 0.5):
            face = np.ascontiguousarray(face[:, ::-1])
        grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
        low, high = np.percentile(grey, (2, 97))
        grey = np.clip((grey - low) / (high - low + 8), 0, 1) * rng.uniform(0.8, 1.0) + rng.uniform(0, 0.1)
        warm = rng.uniform(0, 0.35)  # grey, or coloured like skin
        face = 255 * np.clip(grey, 0, 1)[..., None] ** (1 - warm, 1.0, 1 + 0.8 * warm)
        return np.clip(face, 0, 255).astype(np.uint8), np.full((height, width), 255, np.uint8)
    w, h = width * 2, height * 2
    ground = tone(rng, 190, 252) if chance(rng, 0.8) else tone(rng, 70, 230)
    face = np.clip(gradient((h, w), ground, np.asarray(ground) * rng.uniform(0.8, 1.05), rng), 0, 255).astype(np.uint8)
    bare = face.copy()
    skin = np.clip(np.asarray(pick(rng, SKINS)) + rng.normal(0, 10, 3), 0, 255)
    hair = (
        np.asarray(tone(rng, 10, 70))
        if chance(rng, 0.75)
        else np.asarray((rng.integers(90, 220), rng.integers(80, 170), rng.integers(50, 130)))
    )
    coat = tone(rng, 5, 130) if chance(rng, 0.75) else tone(rng, 130, 250)
    cx, cy, size = w * rng.uniform(0.46, 0.54), h * rng.uniform(0.4, 0.48), h * rng.uniform(0.2, 0.27)
    wide = rng.uniform(0.68, 0.85)

    def oval(x, y, a, b, colour, begin=0, end=360):
        cv2.ellipse(
            face,
            (int(x), int(y)),
            (max(1, int(a)), max(1, int(b))),
            0,
            begin,
            end,
            tuple(float(c) for c in colour),
            -1,
            cv2.LINE_AA,
        )

    if chance(rng, 0.4):  # long hair
        oval(cx, cy + size * rng.uniform(0.2, 0.9), size * rng.uniform(0.95, 1.25), size * rng.uniform(1.2, 1.9), hair)
    oval(cx, cy - size * 0.22, size * (wide + rng.uniform(0.08, 0.25)), size * rng.uniform(0.95, 1.12), hair)
    oval(cx, h * 1.02, w * rng.uniform(0.42, 0.56), h * rng.uniform(0.2, 0.3), coat)
    oval(cx, cy + size * 1.05, size * 0.42, size * 0.6, skin * 0.85)
    if chance(rng, 0.4):
        points = np.array([[cx - size * 0.5, h * 0.8], [cx + size * 0.5, h * 0.8], [cx, h]], np.int32)
        cv2.fillConvexPoly(face, points, tone(rng, 190, 255), cv2.LINE_AA)
    for side in (-1, 1):
        oval(cx + side * size * wide, cy + size * 0.08, size * 0.12, size * 0.2, skin * 0.9)
    oval(cx, cy + size * 0.06, size * wide, size, skin)
    if chance(rng, 0.6):
        shade = np.zeros((h, w), np.float32)
        cv2.ellipse(
            shade,
            (int(cx + size * wide * pick(rng, (-0.7, 0.7))), int(cy)),
            (int(size * 0.5), int(size)),
            0,
            0,
            360,
            1.0,
            -1,
        )
        face = np.clip(
            face * (1 - rng.uniform(0.1, 0.35) * cv2.GaussianBlur(shade, (0, 0), size * 0.2))[..., None], 0, 255
        ).astype(np.uint8)
    oval(cx, cy - size * rng.uniform(0.5, 0.62), size * wide * 0.95, size * 0.45, hair, 180, 360)
    for side in (-1, 1):
        x, y = cx + side * size * wide * 0.42, cy - size * 0.02
        oval(x, y - size * 0.17, size * 0.2, size * 0.04, hair * 0.8)
        oval(x, y, size * 0.13, size * 0.06, (230, 225, 220))
        oval(x, y, size * 0.06, size * 0.06, (35, 25, 20))
    if chance(rng, 0.2):
        for side in (-1, 1):
            cv2.circle(
                face,
                (int(cx + side * size * wide * 0.42), int(cy)),
                int(size * 0.24),
                (30, 30, 30),
                max(1, int(size * 0.05)),
                cv2.LINE_AA,
            )
    oval(cx + size * 0.03, cy + size * 0.34, size * 0.12, size * 0.07, skin * 0.75)
    oval(cx, cy + size * 0.6, size * 0.25, size * 0.07, (150, 80, 80))
    if chance(rng, 0.15):
        oval(cx, cy + size * 0.85, size * wide * 0.7, size * 0.25, hair)
    face = cv2.GaussianBlur(face, (0, 0), size * 0.02 + 0.5)
    face = np.clip(face + rng.normal(0, rng.uniform(0, 8), face.shape), 0, 255).astype(np.uint8)
    mask = np.where(np.abs(face.astype(int) - bare).max(2) > 18, 255, 0).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    out = cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA)
    return out, cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)


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


def code(rng, cells):
    """A matrix code with finder patterns in three corners."""
    out = rng.integers(0, 2, (cells, cells)).astype(np.uint8) * 255
    finder = np.full((8, 8), 255, np.uint8)
    finder[:7, :7] = 0
    finder[1:6, 1:6] = 255
    finder[2:5, 2:5] = 0
    out[:8, :8], out[:8, -8:], out[-8:, :8] = finder, finder[:, ::-1], finder[::-1]
    return np.repeat(np.pad(out, 1, constant_values=255)[..., None], 3, 2)


def matrix_code(sheet, left, top, size):
    """`size` is a share of the height."""
    cells = np.kron(code(sheet.rng, int(sheet.rng.integers(21, 38))), np.ones((4, 4, 1), np.uint8))
    sheet.paste(cells, (left, top, left + size * sheet.h / sheet.w, top + size))


def bars(sheet, area):
    rng = sheet.rng
    sheet.box(area, (250, 250, 250))
    x = area[0]
    while x < area[2]:
        wide = rng.integers(1, 4) * 1.2 / sheet.w
        sheet.box((x, area[1], min(x + wide, area[2]), area[3]), (20, 20, 20))
        x += wide + rng.integers(1, 4) * 1.2 / sheet.w


def chip(sheet, left, top, size=0.17):
    rng = sheet.rng
    wide = size * 1.25 * sheet.h / sheet.w
    colour = (
        (rng.integers(190, 235), rng.integers(165, 205), rng.integers(90, 150))
        if chance(rng, 0.7)
        else tone(rng, 180, 215)
    )
    sheet.box((left, top, left + wide, top + size), tuple(int(c) for c in colour), (110, 95, 60), 1, 5)
    for share in (0.33, 0.66):
        sheet.line(((left, top + size * share), (left + wide, top + size * share)), (120, 100, 60))
        sheet.line(((left + wide * share, top), (left + wide * share, top + size)), (120, 100, 60))


def flag(sheet, left, top, size):
    rng, wide = sheet.rng, size * 1.5 * sheet.h / sheet.w
    upright = chance(rng, 0.4)
    for k in range(3):
        a, b = k / 3, (k + 1) / 3
        area = (
            (left + a * wide, top, left + b * wide, top + size)
            if upright
            else (left, top + a * size, left + wide, top + b * size)
        )
        sheet.box(area, tone(rng))


def emblem(sheet, centre, radius):
    """A round state emblem: red disc in a rim of gold, stars over a gate."""
    rng, (x, y) = sheet.rng, centre
    red = (int(rng.integers(170, 225)), int(rng.integers(20, 60)), int(rng.integers(20, 60)))
    gold = tuple(int(c) for c in np.clip(np.asarray(GOLD) + rng.normal(0, 15, 3), 0, 255))
    across = radius * sheet.h / sheet.w
    sheet.circle(centre, radius, gold if chance(rng, 0.8) else red)
    sheet.circle(centre, radius * rng.uniform(0.72, 0.9), red)
    sheet.star((x, y - radius * 0.32), radius * rng.uniform(0.18, 0.3), gold)
    for k in range(4):
        t = np.pi * (0.2 + 0.2 * k)
        sheet.star((x + across * 0.5 * np.cos(t), y - radius * (0.5 * np.sin(t) - 0.15)), radius * 0.09, gold)
    sheet.box((x - across * 0.42, y + radius * 0.22, x + across * 0.42, y + radius * 0.4), gold)
    sheet.box((x - across * 0.28, y + radius * 0.1, x + across * 0.28, y + radius * 0.2), gold)
    if chance(rng, 0.6):
        sheet.box((x - across * 0.5, y + radius * 0.75, x + across * 0.5, y + radius * 1.05), red)
        sheet.circle((x, y + radius * 0.8), radius * 0.17, gold)


def arms(sheet, centre, radius):
    """Arms, a globe or a logo of no one."""
    rng, (x, y), colour = sheet.rng, centre, tone(sheet.rng, 0, 190)
    across, kind = radius * sheet.h / sheet.w, rng.integers(4)
    if kind == 0:
        sheet.pen.polygon(
            [
                ((x + a * across) * sheet.w, (y + b * radius) * sheet.h)
                for a, b in ((-0.8, -1), (0.8, -1), (0.8, 0.2), (0, 1), (-0.8, 0.2))
            ],
            fill=colour,
        )
        sheet.line(((x, y - radius), (x, y + radius)), tone(rng, 150, 255), 2)
    elif kind == 1:
        sheet.circle(centre, radius, None, colour, 2)
        for share in (0.4, 0.7):
            sheet.circle(centre, radius * share, None, colour, 1)
    elif kind == 2:
        sheet.star(centre, radius, colour)
    else:
        for _ in range(6):
            a, b = rng.uniform(-1, 1, 2), rng.uniform(0.1, 0.5)
            sheet.circle((x + a[0] * across * 0.6, y + a[1] * radius * 0.6), radius * b, colour)


def seal(sheet, centre, radius, colour=None):
    """A round stamp over what stands there: ring, star, characters around."""
    rng = sheet.rng
    colour = colour or (int(rng.integers(180, 235)), int(rng.integers(20, 80)), int(rng.integers(20, 80)))
    side = int(4 * radius * sheet.h) + 4
    stamp = Image.new("L", (side, side), 0)
    pen, r = ImageDraw.Draw(stamp), side / 2 - 2
    pen.ellipse((2, 2, side - 2, side - 2), outline=255, width=max(2, int(r * 0.06)))
    if chance(rng, 0.3):
        pen.ellipse((r * 0.2, r * 0.2, side - r * 0.2, side - r * 0.2), outline=255, width=max(1, int(r * 0.03)))
    angles, reach = np.arange(10) * np.pi / 5 - np.pi / 2, np.where(np.arange(10) % 2 == 0, 0.33, 0.13) * r
    pen.polygon([(side / 2 + a * np.cos(t), side / 2 + a * np.sin(t)) for a, t in zip(reach, angles)], fill=255)
    count, font = int(rng.integers(8, 16)), sheet.stock.font(HAN_FACE, r * 0.3)
    for k, letter in enumerate(han(rng, count)):
        t = np.radians(-210 + 240 * k / (count - 1))
        pen.text(
            (side / 2 + 0.74 * r * np.cos(t), side / 2 + 0.74 * r * np.sin(t)), letter, font=font, fill=255, anchor="mm"
        )
    if chance(rng, 0.3):
        pen.text((side / 2, side / 2 + 0.55 * r), han(rng, 4), font=font, fill=255, anchor="mm")
    stamp = stamp.rotate(rng.normal(0, 12))
    across = radius * sheet.h / sheet.w
    area = (centre[0] - across, centre[1] - radius, centre[0] + across, centre[1] + radius)
    sheet.paste(np.full((side, side, 3), colour, np.uint8), area, np.asarray(stamp), rng.uniform(0.45, 0.9))


def scrawl(sheet, area, colour=INK):
    """A signature."""
    rng = sheet.rng
    x = np.linspace(area[0], area[2], 40) + rng.normal(0, 0.01, 40)
    y = (
        np.convolve(rng.normal(0, 1, 46), np.ones(7) / 3.5, "valid") * 0.35 * (area[3] - area[1])
        + (area[1] + area[3]) / 2
    )
    sheet.line(list(zip(x, y)), colour, rng.uniform(1, 2.5))


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


# ---- Faces


def chinese_ground(stock, rng, shape):
    a = np.array([rng.integers(205, 240), rng.integers(215, 240), rng.integers(220, 245)])
    b = np.array([rng.integers(225, 250), rng.integers(210, 235), rng.integers(210, 240)])
    ground = np.clip(gradient(shape, a, b, rng), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(1, 3))):
        ground = waves(ground, rng, int(rng.integers(14, 46)), tone(rng, 110, 215), rng.uniform(0.1, 0.5))
    return ground


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


def hologram(sheet):
    """A patch of foil."""
    rng = sheet.rng
    side = 64
    shine = np.clip(
        gradient((side, side), tone(rng, 80, 255), tone(rng, 80, 255), rng)
        + 20 * clouds((side, side), rng, (4, 8))[..., None],
        0,
        255,
    )
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (32, 32), 30, 255, -1)
    size, at = rng.uniform(0.12, 0.35), rng.uniform(0.1, 0.7, 2)
    sheet.paste(
        shine.astype(np.uint8),
        (at[0], at[1], at[0] + size * sheet.h / sheet.w, at[1] + size),
        mask,
        rng.uniform(0.2, 0.6),
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


def bank_card(stock, rng):
    upright = chance(rng, 0.08)
    w, h = (round(LONG / ID1), LONG) if upright else (LONG, round(LONG / ID1))
    sheet = Sheet(stock, rng, vivid(rng, (h, w), stock.photos))
    bright = np.mean(np.asarray(sheet.image)) > 130
    ink, face = tone(rng, 0, 50) if bright else tone(rng, 190, 255), pick(rng, SANS)
    unit = 0.6 if upright else 1.0
    if chance(rng, 0.2):  # the other side
        sheet.box((0, 0.08, 1, 0.27), tone(rng, 0, 40))
        sheet.box((0.05, 0.36, 0.7, 0.5), (240, 240, 235))
        scrawl(sheet, (0.1, 0.36, 0.45, 0.5))
        sheet.text((0.6, 0.4), digits(rng, 3), 0.06, INK, face)
        for k in range(int(rng.integers(2, 7))):
            sheet.text((0.05, 0.58 + 0.06 * k), words(rng, int(rng.integers(3, 7)))[:50], 0.035, ink, face)
        return sheet.done()
    sheet.text(
        (rng.uniform(0.05, 0.5), 0.06),
        words(rng, 2)[:16] if chance(rng, 0.7) else han(rng, 4) + "银行",
        0.1 * unit,
        ink,
        face,
    )
    if chance(rng, 0.85):
        chip(sheet, rng.uniform(0.07, 0.12), rng.uniform(0.3, 0.42), 0.19 * unit)
    if chance(rng, 0.85):
        number, raised = " ".join(digits(rng, 4) for _ in range(4)), pick(rng, (*MONO, MACHINE_FACE))
        for off, colour in ((0.006, tuple(int(255 - c) for c in ink)), (0.0, ink)):
            sheet.text((0.08 + off, 0.56 + off), number, 0.105 * unit, colour, raised)
        sheet.text((0.45, 0.71), f"{rng.integers(1, 13):02}/{rng.integers(20, 34)}", 0.06 * unit, ink, raised)
        sheet.text((0.08, 0.82), words(rng, 2).upper()[:20], 0.07 * unit, ink, raised)
    for k in range(2 if chance(rng, 0.5) else 1):
        sheet.circle((0.82 + 0.07 * k, 0.83), 0.09 * unit, tone(rng))
    return sheet.done()


def business_card(stock, rng):
    upright = chance(rng, 0.15)
    aspect = pick(rng, (1.64, 1.75, 1.8, 1.5))
    w, h = (round(LONG / aspect), LONG) if upright else (LONG, round(LONG / aspect))
    dark = chance(rng, 0.3)
    base = tone(rng, 0, 90) if dark else tone(rng, 215, 255)
    sheet = Sheet(
        stock, rng, np.full((h, w, 3), base, np.float32) if chance(rng, 0.7) else gradient((h, w), base, tone(rng), rng)
    )
    ink, face = tone(rng, 190, 255) if dark else tone(rng, 0, 110), pick(rng, (*SANS, *SERIF))
    if chance(rng, 0.3):
        side = pick(rng, ((0, 0, 0.3, 1), (0, 0.8, 1, 1), (0, 0, 1, 0.2), (0.7, 0, 1, 1)))
        sheet.box(side, tone(rng))
    unit = 0.6 if upright else 1.0
    if chance(rng, 0.75):
        arms(sheet, (rng.uniform(0.15, 0.85), rng.uniform(0.15, 0.4)), rng.uniform(0.08, 0.2) * unit)
    if chance(rng, 0.25):
        matrix_code(sheet, rng.uniform(0.05, 0.65), rng.uniform(0.3, 0.6), rng.uniform(0.25, 0.38) * unit)
    anchor, x = pick(rng, (("la", 0.08), ("ma", 0.5), ("ra", 0.92)))
    y, chinese = rng.uniform(0.2, 0.5), chance(rng, 0.3)
    sheet.text(
        (x, y), han(rng, 3) if chinese else words(rng, 2)[:18], rng.uniform(0.09, 0.14) * unit, ink, face, anchor
    )
    y += 0.17
    for _ in range(int(rng.integers(1, 6))):
        text = (
            han(rng, int(rng.integers(6, 16)))
            if chinese and chance(rng, 0.5)
            else pick(rng, (value(rng, "latin"), f"{word(rng).lower()}@{word(rng).lower()}.com", "+" + digits(rng, 11)))
        )
        sheet.text((x, y), text[:30], rng.uniform(0.045, 0.065) * unit, ink, face, anchor)
        y += rng.uniform(0.075, 0.11)
    return sheet.done()


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


def pass_card(stock, rng):
    """Membership, transport, gift and circuit-board cards."""
    w, h = LONG, round(LONG / ID1)
    if chance(rng, 0.35):  # a circuit board
        sheet = Sheet(
            stock,
            rng,
            np.full(
                (h, w, 3),
                pick(rng, ((20, 22, 24), (20, 70, 40), (25, 40, 110), (120, 20, 25), (230, 230, 230))),
                np.float32,
            ),
        )
        ink = (225, 225, 220) if np.mean(np.asarray(sheet.image)) < 150 else (30, 30, 30)
        for _ in range(int(rng.integers(3, 30))):
            a, size = rng.uniform(0.05, 0.9, 2), rng.uniform(0.01, 0.06, 2)
            sheet.box((*a, *(a + size)), tone(rng, 90, 220))
        for _ in range(int(rng.integers(2, 10))):
            x, y = rng.uniform(0.03, 0.95, 2)
            sheet.line(((x, y), (x + 0.1, y), (x + 0.14, y + 0.08)), tone(rng, 60, 200))
    else:
        sheet = Sheet(stock, rng, vivid(rng, (h, w), stock.photos))
        ink = tone(rng, 0, 50) if np.mean(np.asarray(sheet.image)) > 130 else tone(rng, 190, 255)
    face = pick(rng, SANS)
    sheet.text(
        (rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.4)),
        words(rng, 2)[:18] if chance(rng, 0.7) else han(rng, 5),
        rng.uniform(0.08, 0.16),
        ink,
        face,
    )
    for _ in range(int(rng.integers(0, 4))):
        sheet.text(
            (rng.uniform(0.05, 0.5), rng.uniform(0.45, 0.9)),
            value(rng, "latin")[:24],
            rng.uniform(0.04, 0.07),
            ink,
            face,
        )
    if chance(rng, 0.4):
        bars(sheet, (0.1, 0.68, rng.uniform(0.5, 0.9), 0.86))
    if chance(rng, 0.25):
        matrix_code(sheet, rng.uniform(0.05, 0.7), rng.uniform(0.1, 0.5), 0.36)
    return sheet.done()


def data_page(sheet, top, bottom):
    """A passport's data page between two heights of the sheet: portrait, fields, machine-readable zone."""
    rng, high = sheet.rng, bottom - top
    at = lambda y: top + y * high  # noqa: E731
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


MAKERS = {
    "portrait_side": ((resident_card, 0.36), (identity_card, 0.42), (driving_licence, 0.22)),
    "emblem_side": ((emblem_card, 1.0),),
    "card": (
        (card_back, 0.26),
        (bank_card, 0.2),
        (business_card, 0.17),
        (playing_card, 0.16),
        (trading_card, 0.09),
        (pass_card, 0.12),
    ),
    "passport_page": ((passport, 1.0),),
    "licence": ((licence, 1.0),),
    "page": ((page, 1.0),),
    "none": ((no_document, 1.0),),
}


# ---- Views


def laid(corners, turn):
    """The corners of the upright face in the order of the picture's, when it was turned `turn` quarters clockwise."""
    return np.roll(corners, turn, 0)


def way_up(rng, width, height):
    """A turn that brings the longer side across; a nearly square face lies any way."""
    ratio = max(width, height) / min(width, height)
    if ratio < 1.12 or chance(rng, 0.02):
        return int(rng.integers(4))
    return int(2 * rng.integers(2)) + (height > width)


def beside(rng, corners):
    """The corners as the locator finds them: off by a little, now and then a whole side."""
    across = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    found = corners + rng.normal(0, 1, (4, 2)) * rng.uniform(0, 0.022) * across
    if chance(rng, 0.15):
        k = rng.integers(4)
        inward = (corners[(k + 2) % 4] + corners[(k + 3) % 4] - corners[k] - corners[(k + 1) % 4]) / 2
        step = inward * rng.uniform(-0.15, 0.15)
        found[k] += step
        found[(k + 1) % 4] += step
    return found.astype(np.float32)


def cut(image, corners):
    """The quadrilateral of `corners` at twice the size of the net's input."""
    ends = np.array([[0, 0], [2 * WIDTH, 0], [2 * WIDTH, 2 * HEIGHT], [0, 2 * HEIGHT]], np.float32)
    span = max(np.linalg.norm(corners[1] - corners[0]) / WIDTH, np.linalg.norm(corners[2] - corners[1]) / HEIGHT) / 2
    if span > 1.6:  # average first: the warp itself takes single pixels
        image = cv2.resize(image, None, fx=1 / span, fy=1 / span, interpolation=cv2.INTER_AREA)
        corners = corners / span
    m = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), ends)
    return cv2.warpPerspective(
        image, m, (2 * WIDTH, 2 * HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def shot(picture, rng):
    """Light, print or display, lens, sensor and JPEG -> the net's input."""
    picture = picture.astype(np.float32)
    h, w = picture.shape[:2]
    if chance(rng, 0.25):
        picture = np.repeat(picture @ np.array([0.299, 0.587, 0.114], np.float32)[..., None], 3, 2)
        if chance(rng, 0.5):
            picture = np.clip((picture - 128) * rng.uniform(0.8, 1.8) + 128 + rng.uniform(-20, 20), 0, 255)
    yy, xx = np.mgrid[:h, :w].astype(np.float32)
    if chance(rng, 0.14):  # the beat of a display, in colours
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 40)
        beat = np.sin(
            (np.cos(angle) * xx + np.sin(angle) * yy + 4 * np.sin(yy / rng.uniform(30, 90))) * 2 * np.pi / period
        )
        picture = picture * (1 + rng.uniform(0.02, 0.12) * beat[..., None] * rng.uniform(-1, 1, 3)) + rng.uniform(0, 25)
    elif chance(rng, 0.1):  # the dots of a print
        period = rng.uniform(2.5, 6)
        dots = np.sin((xx + yy) * np.pi / period) * np.sin((xx - yy) * np.pi / period)
        picture = picture + rng.uniform(5, 35) * dots[..., None]
    if chance(rng, 0.22):
        outline = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        for _ in range(int(rng.integers(1, 3))):
            picture = thing(picture, rng, outline)
    picture = light(picture, rng) if chance(rng, 0.9) else picture
    if chance(rng, 0.12):
        colour = np.exp(rng.normal(0, 0.5, 3))
        picture = picture * colour / max(colour.max(), 1.0)
    if chance(rng, 0.06):
        picture = picture * rng.uniform(0.08, 0.4)
    if chance(rng, 0.1):
        picture = picture * rng.uniform(0.3, 0.8) + rng.uniform(20, 140)
    wide = int(np.exp(rng.uniform(np.log(90), np.log(420)))) if chance(rng, 0.75) else 2 * WIDTH
    wide = min(wide, 2 * WIDTH)
    small = cv2.resize(picture, (wide, max(8, wide * HEIGHT // WIDTH)), interpolation=cv2.INTER_AREA)
    if chance(rng, 0.55):
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.3) * max(1.0, wide / 160))
    if chance(rng, 0.12):
        kernel = np.zeros((9, 9), np.float32)
        angle, reach = rng.uniform(0, np.pi), rng.uniform(1, 4)
        cv2.line(
            kernel,
            tuple(int(round(4 - reach * v)) for v in (np.cos(angle), np.sin(angle))),
            tuple(int(round(4 + reach * v)) for v in (np.cos(angle), np.sin(angle))),
            1.0,
        )
        small = cv2.filter2D(small, -1, kernel / kernel.sum())
    small = small + rng.normal(0, rng.uniform(0, 7), small.shape)
    small = np.clip(small, 0, 255).astype(np.uint8)
    if chance(rng, 0.6):
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))])
        small = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if wide >= WIDTH else cv2.INTER_LINEAR)


def framed(image, corners, rng, size=None):
    """A marked quadrilateral of a photograph -> input and turn; `size` is the document's, where the corners mislead."""
    across = size or (np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    turn = way_up(rng, *across)
    return shot(cut(image, laid(beside(rng, corners), turn)), rng), turn


def view(stock, seed):
    """-> picture [HEIGHT,WIDTH,3] bytes, kind, turn."""
    rng = np.random.default_rng(seed)
    kind = int(rng.choice(len(KINDS), p=SHARES))
    makers = MAKERS[KINDS[kind]]
    maker = makers[rng.choice(len(makers), p=[share for _, share in makers])][0]
    face = maker(stock, rng)
    h, w = face.shape[:2]
    margin = LONG // 6
    if maker is no_document:
        corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        turn = way_up(rng, w, h)
        return shot(cut(face, laid(corners, turn)), rng), kind, UNTURNED
    ground = (
        picture_patch(stock.photos, rng, (w + 2 * margin, h + 2 * margin))
        if chance(rng, 0.5)
        else np.full((h + 2 * margin, w + 2 * margin, 3), tone(rng), np.uint8)
    )
    cover = np.zeros((h, w), np.uint8)
    round_corners = 0 if maker in (page, licence) else int(LONG * rng.uniform(0.0, 0.05))
    ImageDraw.Draw(image := Image.fromarray(cover)).rounded_rectangle((0, 0, w - 1, h - 1), round_corners, 255)
    cover = np.asarray(image)[..., None].astype(np.float32) / 255
    canvas = ground.astype(np.float32)
    inside = canvas[margin : margin + h, margin : margin + w]
    canvas[margin : margin + h, margin : margin + w] = inside * (1 - cover) + face * cover
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) + margin
    picture, turn = framed(canvas.astype(np.uint8), corners, rng, (w, h))
    return picture, kind, UNTURNED if maker is playing_card else turn
