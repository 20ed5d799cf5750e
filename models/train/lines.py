"""A seed to a made-up text line and what stands in it: what the reader of number lines learns from.

A line is set in a machine face from an atlas of glyphs, laid on a printed ground, photographed (small, blurred,
noisy, compressed) and cut out again as a rectified strip of `ROWS` rows, as the program cuts it from a capture.
The faces are files of Debian's font packages (`PACKAGES`).
"""
import datetime
import os
from dataclasses import dataclass, replace

import cv2
import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

ROWS, MIN_WIDTH, MAX_WIDTH = 32, 64, 1024
DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SYMBOLS = DIGITS + LETTERS + "<x"
PACKAGES = ("fonts-ocr-b fonts-ocr-a fonts-dejavu-core fonts-dejavu-extra fonts-liberation fonts-inconsolata "
            "fonts-freefont-ttf fonts-roboto-unhinted fonts-wqy-microhei fonts-b612 fonts-noto-mono fonts-lato")
# file -> share in training. OCR-B above all; the rest so that numbers in other machine faces are read too.
TRAINED = {
    "OCRB.otf": 50, "OCRBL.otf": 4, "OCRA.ttf": 2, "OCRABold.ttf": 1, "OCRACondensed.ttf": 1,
    "DejaVuSansMono.ttf": 4, "DejaVuSansMono-Bold.ttf": 2, "LiberationMono-Regular.ttf": 3,
    "LiberationMono-Bold.ttf": 3, "Inconsolata.otf": 2, "FreeMonoBold.ttf": 2, "LiberationSans-Regular.ttf": 5,
    "LiberationSans-Bold.ttf": 3, "LiberationSansNarrow-Regular.ttf": 2, "DejaVuSans.ttf": 3,
    "DejaVuSansCondensed-Bold.ttf": 2, "Roboto-Regular.ttf": 3, "RobotoCondensed-Regular.ttf": 2,
    "FreeSans.ttf": 2, "LiberationSerif-Bold.ttf": 1, "wqy-microhei.ttc": 4,
}
FACES = {
    "trained": TRAINED,
    "OCR-B": {"OCRB.otf": 1},
    # Never trained on. The first has the skeletons of OCR-B and other ends of strokes; the rest are other designs.
    "OCR-B sharp": {"OCRBS.otf": 1},
    "others": {"B612Mono-Regular.otf": 1, "NotoSansMono-Regular.ttf": 1, "Lato-Regular.ttf": 1},
}
LABEL_FACE = "wqy-microhei.ttc"
# Words before a number: none of these glyphs is to be read.
LABELS = ("公民身份号码", "身份证号", "证件号码", "统一社会信用代码", "号码", "编号", "护照号", "签发机关", "有效期限",
          "number:", "no.", "card no.", "code:", "id:")
UNSEEN_LABELS = ("passport no.", "date of birth", "account:", "issued by")
HAN = "公民身份号码姓名性别男女民族汉出生年月日住址省市区县街道路村组室签发机关公安局分有效期限长统一社会信用代中华人民共和国居"
LEVELS = (12, 18, 27, 40)  # capitals' height in the atlas, px
ABOVE, BELOW = 1.3, 0.5  # of a glyph's cell over and under the baseline, in heights of capitals
GROUNDS, GROUND_ROWS, GROUND_COLUMNS = 160, 160, 1600

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10X98765432"
PROVINCES = (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
             61, 62, 63, 64, 65, 71, 81, 82, 83)
CODE_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
STATES = ("UTO", "CHN", "D<<", "FRA", "USA", "GBR", "RUS", "EST", "GRC", "AZE", "ESP", "IND", "JPN", "KOR", "BRA")


@dataclass(frozen=True)
class Style:
    """What may befall a line. Pairs are ranges; blur and noise lean to the low end of theirs."""

    faces: str = "trained"
    height: tuple = (8, 40)  # of capitals in the capture, px, log-uniform
    crop: tuple = (14, 28)  # of capitals in the strip, rows
    blur: tuple = (0.0, 0.16)  # sigma in heights of capitals, beside half a pixel of the lens
    motion: float = 0.2  # share of lines that are moved
    noise: tuple = (0.0, 10.0)
    contrast: tuple = (30, 200)  # grey levels between paper and ink
    quality: tuple = (40, 95)
    bend: float = 1.0  # how far rotation, perspective, shear and curvature go
    clutter: float = 1.0  # how often neighbours, rules, labels and a printed ground are there
    glare: float = 0.25  # share of lines with a patch of glare
    foreign: bool = False  # WebP, a median filter or a halftone in place of JPEG: never in training
    labels: tuple = LABELS
    strokes: tuple = (-1, 1)  # sides of the text with unrelated strokes in the margin: left, right
    step: int = 8  # the width is a multiple of this


# Strokes after the text were not in the lines of the net that is kept: see its card.
TRAINING = Style(strokes=(-1,), step=32)
# Sharp enough to read at a glance: what a fair scan or a close photograph gives.
CLEAN = Style(faces="OCR-B", height=(20, 40), crop=(16, 24), blur=(0, 0.04), motion=0, noise=(0, 3),
              contrast=(70, 200), quality=(75, 95), bend=0.5, glare=0)
COMMON = replace(CLEAN, blur=(0, 0.08), motion=0.1, noise=(1, 6), contrast=(40, 200), quality=(60, 95), bend=1.0,
                 glare=0.15)
# Half legible: where a reader is most likely to read something else than what stands there.
HARD = replace(COMMON, height=(7, 16), blur=(0.02, 0.16), motion=0.4, noise=(1, 8), contrast=(25, 140),
               quality=(20, 80), glare=0.4)


class Atlas:
    """Glyphs of the faces at `LEVELS`, drawn once."""

    def __init__(self, folders=(), faces=("trained",)):
        self.files = {}
        for path in sorted(font_manager.findSystemFonts()) + sorted(font_manager.findSystemFonts(list(folders))):
            self.files[os.path.basename(path)] = path
        names = sorted({name for group in faces for name in FACES[group]} | {LABEL_FACE})
        missing = [name for name in names if name not in self.files]
        if missing:
            raise SystemExit(f"no {', '.join(missing)}: install {PACKAGES} or name their folder with --fonts")
        self.glyphs = {name: self._face(name, SYMBOLS) for name in names}
        self.labels = self._face(LABEL_FACE, sorted(set("".join(LABELS + UNSEEN_LABELS) + HAN)))

    def _face(self, name, letters):
        """-> level -> character -> (cell, offset of its left edge, advance); offset and advance in heights."""
        probe = ImageFont.truetype(self.files[name], 400, layout_engine=ImageFont.Layout.BASIC)
        left, top, right, bottom = probe.getbbox("H", anchor="ls")
        per_height, levels = 400 / -top, {}
        for level in LEVELS:
            font = ImageFont.truetype(self.files[name], level * per_height, layout_engine=ImageFont.Layout.BASIC)
            levels[level] = {letter: self._glyph(probe, font, level, per_height, letter) for letter in letters}
        return levels

    @staticmethod
    def _glyph(probe, font, level, per_height, letter):
        advance = probe.getlength(letter) / 400 * per_height
        left, _, right, _ = font.getbbox(letter, anchor="ls")
        cell = Image.new("L", (int(right - left) + 3, round(level * (ABOVE + BELOW))))
        ImageDraw.Draw(cell).text((1 - left, round(level * ABOVE)), letter, font=font, fill=255, anchor="ls")
        return np.asarray(cell), (left - 1) / level, advance


class Grounds:
    """Printed grounds (line art, waves, hatching, clouds, grain), about 0, and a long row of noise."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.grounds = np.stack([self._ground(rng) for _ in range(GROUNDS)])
        self.noise = rng.normal(0, 1, 1 << 20).astype(np.float32)

    @staticmethod
    def _ground(rng):
        y, x = np.mgrid[:GROUND_ROWS, :GROUND_COLUMNS].astype(np.float32)
        ground = np.zeros_like(x)
        kind = rng.choice(5, p=(0.4, 0.2, 0.2, 0.1, 0.1))
        if kind < 3:
            # Guilloche: families of thin lines that wave across the paper.
            for _ in range(rng.integers(1, 5)):
                angle, period = rng.uniform(0, np.pi), rng.uniform(4, 26)
                along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
                for _ in range(rng.integers(1, 3)):
                    across = across + rng.uniform(1, 14) * np.sin(along / rng.uniform(8, 90) + rng.uniform(0, 7))
                wave = np.cos(across * (2 * np.pi / period))
                ground += np.maximum(wave - rng.uniform(0, 0.8), 0) if kind else wave
        if kind in (2, 3):
            for cells in (6, 14, 40):
                small = rng.normal(0, 1, (cells, cells * 6)).astype(np.float32)
                ground += 0.6 * cv2.resize(small, (GROUND_COLUMNS, GROUND_ROWS), interpolation=cv2.INTER_CUBIC)
        if kind == 4 or rng.random() < 0.3:
            grain = rng.normal(0, 1, ground.shape).astype(np.float32)
            ground += cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.6, 2.5)) * rng.uniform(0.5, 2)
        ground -= ground.mean()
        return (ground / max(float(np.abs(ground).max()), 1e-3) * 127).astype(np.int8)


# ---- What stands in a line

def id_check(body):
    """The check character of GB 11643 over the first 17 digits."""
    return ID_CHECKS[sum(int(d) * w for d, w in zip(body, ID_WEIGHTS)) % 11]


def id_consistent(text, latest=datetime.date(2026, 12, 31)):
    """18 characters, a province, a date that was and the right check character; `x` is `X`."""
    text = text.upper()
    if len(text) != 18 or not text[:17].isdigit() or int(text[:2]) not in PROVINCES:
        return False
    try:
        born = datetime.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return datetime.date(1900, 1, 1) <= born <= latest and id_check(text) == text[17]


def id_number(rng, right=True):
    """A resident ID number; one that is not `right` has one digit changed or two swapped."""
    while True:
        day = datetime.date(1930, 1, 1) + datetime.timedelta(int(rng.integers(34_700)))
        place = f"{PROVINCES[rng.integers(31)]}{rng.integers(1, 30):02d}{rng.integers(1, 30):02d}"
        text = place + day.strftime("%Y%m%d") + f"{rng.integers(1, 1000):03d}"
        text += id_check(text)
        # One in eleven ends in X; more of them, so that it is learnt.
        if text[-1] == "X" or rng.random() < 0.8:
            break
    if not right:
        good = list(text)
        while id_consistent("".join(good)):
            good, at = list(text), rng.integers(17)
            if rng.random() < 0.7:
                good[at] = DIGITS[rng.integers(10)]
            elif at < 16:
                good[at], good[at + 1] = good[at + 1], good[at]
        text = "".join(good)
    return text[:-1] + "x" if text[-1] == "X" and rng.random() < 0.2 else text


def _pick(rng, letters, length):
    return "".join(letters[i] for i in rng.integers(len(letters), size=length))


def mrz(rng, length=None):
    """One line of a machine-readable zone: names with fillers, or numbers, dates and check digits."""
    length = length or (30, 36, 44)[rng.choice(3, p=(0.3, 0.2, 0.5))]
    state = STATES[rng.integers(len(STATES))]
    names = [_pick(rng, LETTERS, rng.integers(2, 10)) for _ in range(rng.integers(1, 5))]
    kind = rng.integers(10)
    if kind < 4:
        head = ("P<", "PO", "I<", "ID", "AC", "V<")[rng.integers(6)] + state if length > 30 or kind < 1 else ""
        text = head + names[0] + "<<" + "<".join(names[1:])
    elif kind < 8:
        number = _pick(rng, DIGITS + (LETTERS if rng.random() < 0.3 else ""), 9)
        if length == 30 and kind < 6:
            text = "I<" + state + number + _pick(rng, DIGITS, 1)
            text += _pick(rng, DIGITS + "<", rng.integers(15)) if rng.random() < 0.4 else ""
        else:
            born, until = _pick(rng, DIGITS, 7), _pick(rng, DIGITS, 7)
            middle = born + "MF<"[rng.integers(3)] + until
            text = middle + state if length == 30 else number + _pick(rng, DIGITS, 1) + state + middle
            text += _pick(rng, DIGITS + LETTERS, rng.integers(15)) if rng.random() < 0.5 else ""
        text = text[: length - 1].ljust(length - 1, "<") + _pick(rng, DIGITS, 1)
    else:
        text = _pick(rng, DIGITS + LETTERS + "<" * 12, length)
    return text[:length].ljust(length, "<")


def zone_digit(text):
    """ICAO Doc 9303 part 3, section 4.9."""
    worth = (0 if c == "<" else int(c, 36) for c in text)
    return str(sum(value * (7, 3, 1)[i % 3] for i, value in enumerate(worth)) % 10)


def zone_line(rng, right=True):
    """The second line of a passport's zone whose check digits are right; or one digit in it changed."""
    day = lambda: _pick(rng, DIGITS, 2) + "%02d%02d" % (rng.integers(1, 13), rng.integers(1, 29))  # noqa: E731
    with_digit = lambda text: text + zone_digit(text)  # noqa: E731
    number, born, until = (with_digit(t) for t in (_pick(rng, DIGITS + LETTERS, 1) + _pick(rng, DIGITS, 8), day(), day()))
    optional = with_digit(_pick(rng, DIGITS, rng.integers(15)).ljust(14, "<"))
    text = number + STATES[rng.integers(len(STATES))] + born + "MF<"[rng.integers(3)] + until + optional
    text += zone_digit(number + born + until + optional)
    while not right:
        at = rng.choice([i for i, c in enumerate(text) if c in DIGITS])
        changed = text[:at] + DIGITS[rng.integers(10)] + text[at + 1 :]
        if not zone_consistent(changed):
            return changed
    return text


def zone_consistent(text):
    """As the program has it: O and I are 0 and 1 where digits alone may stand."""
    if len(text) != 44:
        return False
    digits = text[13:20] + text[21:28] + text[43]
    digits = digits.replace("O", "0").replace("I", "1")
    born, until, last = digits[:7], digits[7:14], digits[14]
    number, optional = text[:10], text[28:43]
    parts = (number, born, until, optional)
    return (all(part[-1] in DIGITS for part in (*parts, last)) and (born[:6] + until[:6]).isdigit()
            and all(zone_digit(part[:-1]) == part[-1] for part in parts)
            and zone_digit(number + born + until + optional) == last)


def credit_code(rng):
    """The shape of a unified social credit code, without its check character."""
    return _pick(rng, CODE_LETTERS, 18)


def content(rng):
    """-> (text, is it an ID number, is it a line of an MRZ)."""
    kind = rng.random()
    if kind < 0.32:
        return id_number(rng, rng.random() < 0.6), True, False
    if kind < 0.56:
        return mrz(rng), False, True
    if kind < 0.66:
        return credit_code(rng), False, False
    if kind < 0.97:
        letters = (DIGITS, DIGITS + LETTERS, SYMBOLS, LETTERS, DIGITS + "Xx")[rng.integers(5)]
        return _pick(rng, letters, rng.integers(6, 45 if rng.random() < 0.2 else 22)), False, False
    return "", False, False


# ---- From text to pixels

def _set(glyphs, text, tracking, groups=None):
    """-> [(cell, x)] and the width, in heights of capitals; `groups` are the gaps before some characters."""
    placed, x = [], 0.0
    for index, letter in enumerate(text):
        x += (groups or {}).get(index, 0.0)
        cell, left, advance = glyphs[letter]
        placed.append((cell, x + left + tracking / 2))
        x += advance + tracking
    return placed, x


def _put(canvas, placed, level, x, baseline, tone=255):
    rows, columns = canvas.shape
    top = round(baseline - level * ABOVE)
    for cell, left in placed:
        at = round((x + left) * level)
        y0, y1, x0, x1 = max(top, 0), min(top + cell.shape[0], rows), max(at, 0), min(at + cell.shape[1], columns)
        if y0 < y1 and x0 < x1:
            part = cell[y0 - top : y1 - top, x0 - at : x1 - at]
            if tone < 255:
                part = (part * (tone / 255)).astype(np.uint8)
            np.maximum(canvas[y0:y1, x0:x1], part, out=canvas[y0:y1, x0:x1])


def _low(rng, pair):
    """From a range, leaning to its low end."""
    return rng.triangular(pair[0], pair[0], pair[1]) if pair[0] < pair[1] else pair[0]


def line(rng, atlas, grounds, style, text=None):
    """-> (uint8 [32,W], text that is to be read)."""
    if text is None:
        text, is_id, is_mrz = content(rng)
    else:
        is_id, is_mrz = len(text) == 18, len(text) in (30, 36, 44)
    names, shares = zip(*FACES[style.faces].items())
    face = names[rng.choice(len(names), p=np.array(shares) / sum(shares))]
    height = float(np.exp(rng.uniform(*np.log(style.height))))
    level = next((size for size in LEVELS if size >= 0.9 * height), LEVELS[-1])
    glyphs, labels = atlas.glyphs[face][level], atlas.labels[level]

    # The line: a label perhaps, then the text.
    tracking = rng.choice((0.0, rng.uniform(-0.04, 0.1), rng.uniform(0, 0.5)), p=(0.4, 0.4, 0.2))
    tracking = min(tracking, 0.12) if is_mrz else tracking
    groups = {}
    if is_id and rng.random() < 0.08:
        gap = rng.uniform(0.4, 1.2)
        groups = {6: gap, 14: gap}
    elif len(text) < 20 and rng.random() < 0.12:
        groups = {int(at): rng.uniform(0.4, 1.5) for at in rng.integers(1, max(len(text), 2), 2)}
    placed, long = _set(glyphs, text, tracking, groups)
    before, label_tone = [], 255
    if not is_mrz and rng.random() < 0.3 * style.clutter or not text:
        word = style.labels[rng.integers(len(style.labels))]
        if not text or rng.random() < 0.3:
            word = "".join(HAN[i] for i in rng.integers(len(HAN), size=rng.integers(1, 9)))
        before, wide = _set(labels, word, rng.uniform(0, 0.3))
        label_tone = int(rng.uniform(90, 255))
        wide += rng.uniform(0.5, 2.5)
        placed, long = [(cell, x + wide) for cell, x in placed], long + wide

    # The strip: heights, margins and width in its pixels.
    aspect = float(np.exp(rng.uniform(-0.16, 0.16) * max(style.bend, 0.3)))
    crop = rng.triangular(style.crop[0], np.clip(20, *style.crop), style.crop[1])
    margins = rng.uniform(0.25, rng.choice((1.0, 3.0)), 2) * crop
    crop *= min(1.0, (MAX_WIDTH - 8) / (long * crop * aspect + margins.sum()))
    margins = np.minimum(margins, (MAX_WIDTH - long * crop * aspect) / 2)
    width = -(-(long * crop * aspect + margins.sum()) // style.step) * style.step
    width = int(np.clip(width, MIN_WIDTH, MAX_WIDTH))
    begin = margins[0]
    pad = 2.0  # heights of the canvas before the line
    canvas = np.zeros((round(level * 3.4), round(level * (2 * pad + width / (crop * aspect)))), np.uint8)
    middle = canvas.shape[0] / 2
    baseline = middle + level / 2
    _put(canvas, before, level, pad, baseline, label_tone)
    _put(canvas, placed, level, pad, baseline)
    _clutter(rng, canvas, atlas, face, level, baseline, (pad, pad + long), style, is_mrz)

    # The capture: where each of its pixels lies on the canvas.
    scale, rim = height / crop, 3
    shape = (int(np.ceil(ROWS * scale)) + 2 * rim, int(np.ceil(width * scale)) + 2 * rim)
    x, y = (np.arange(shape[1], dtype=np.float32) - rim) / scale, (np.arange(shape[0], dtype=np.float32) - rim) / scale
    free = ((ROWS - crop) / 2 + 0.5) * style.bend
    t = x / (width / 2) - 1
    tilt = np.clip(np.tan(np.radians(rng.uniform(-3, 3))) * width / 2, -0.55 * free, 0.55 * free)
    bow = rng.uniform(-0.3, 0.3) * free if rng.random() < 0.5 else 0.0
    turns, phase = rng.uniform(0.5, 2.5), rng.uniform(0, 2 * np.pi)
    bent = tilt * t + bow * np.sin(turns * np.pi * t + phase) + rng.uniform(-0.35, 0.35) * free
    along = (x + rng.uniform(-0.03, 0.03) * style.bend * width / 2 * (t * t - 1))[None]
    down = (y - ROWS / 2)[:, None]
    shear = np.tan(np.radians(rng.normal(0, 4))) * style.bend
    to_x = ((along - shear * down - begin) / (crop * aspect) + pad) * level
    to_y = (down - bent[None]) * (1 + rng.uniform(-0.06, 0.06) * style.bend * t)[None] / crop * level + middle
    canvas = _weight(rng, canvas, level)
    ink = cv2.remap(canvas, to_x.astype(np.float32), to_y.astype(np.float32), cv2.INTER_LINEAR)
    picture = _photograph(rng, ink.astype(np.float32) / 255, grounds, height, style)

    # The strip is cut out of the capture.
    if scale > 1.3 and rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.35 * scale)
    method = cv2.INTER_CUBIC if rng.random() < 0.3 else cv2.INTER_LINEAR
    back = np.array([[scale, rng.uniform(-0.02, 0.02), rim], [0, scale, rim]], np.float32)
    strip = cv2.warpAffine(picture, back, (width, ROWS), flags=method | cv2.WARP_INVERSE_MAP,
                           borderMode=cv2.BORDER_REPLICATE)
    return strip, text


def _clutter(rng, canvas, atlas, face, level, baseline, ends, style, is_mrz):
    """Lines above and below, rules, edges and unrelated strokes."""
    columns = canvas.shape[1]
    for side in (-1, 1):
        if rng.random() < 0.25 * style.clutter:
            if rng.random() < 0.7 or is_mrz:
                glyphs, letters = atlas.glyphs[face][level], SYMBOLS
            else:
                glyphs, letters = atlas.labels[level], HAN
            gap = rng.uniform(0.6, 1.7) if is_mrz else rng.uniform(0.2, 1.0)
            text = _pick(rng, letters, min(int(columns / level), rng.integers(4, 45)))
            placed, _ = _set(glyphs, text, rng.uniform(0, 0.2))
            _put(canvas, placed, level, rng.uniform(0, 4), baseline + side * (1 + gap) * level)
    if rng.random() < 0.12 * style.clutter:
        at = round(baseline + level * rng.choice((rng.uniform(0.22, 0.6), rng.uniform(-1.6, -1.25))))
        cv2.line(canvas, (0, at), (columns, at + int(rng.integers(-2, 3))), int(rng.uniform(60, 255)),
                 max(1, round(level * rng.uniform(0.02, 0.12))))
    for side, end in zip((-1, 1), ends):
        if rng.random() < 0.12 * style.clutter:
            # An edge, a bar or a stroke in the margin.
            at = level * (end + side * rng.uniform(0.35, 2))
            lean, tone, wide = level * rng.uniform(-0.1, 0.1), int(rng.uniform(60, 255)), rng.uniform(0.03, 0.3)
            if side in style.strokes:
                cv2.line(canvas, (round(at - lean), 0), (round(at + lean), canvas.shape[0]), tone,
                         max(1, round(level * wide)))


def _weight(rng, canvas, level):
    """Thinner or bolder strokes, or broken ink."""
    if rng.random() < 0.45:
        soft = cv2.GaussianBlur(canvas, (0, 0), 0.05 * level)
        levels = (np.arange(256) - 255 * rng.uniform(0.08, 0.5)) * 2.2
        canvas = cv2.LUT(soft, np.clip(levels, 0, 255).astype(np.uint8))
    return canvas


def _photograph(rng, ink, grounds, height, style):
    """Ink 0..1 -> the capture, uint8."""
    rows, columns = ink.shape
    paper = rng.uniform(90, 250)
    contrast = min(float(np.exp(rng.uniform(*np.log(style.contrast)))), paper * 0.97)
    noise = grounds.noise
    if rng.random() < 0.3:
        # Ink that does not cover evenly.
        cells = (max(2, rows // 3), max(2, columns // 3))
        start = rng.integers(len(noise) - cells[0] * cells[1])
        patch = noise[start : start + cells[0] * cells[1]].reshape(cells)
        ink = ink * (1 - rng.uniform(0.05, 0.3) * np.abs(cv2.resize(patch, (columns, rows))))
    picture = paper - contrast * ink
    if rng.random() < 0.75 * style.clutter:
        ground = grounds.grounds[rng.integers(len(grounds.grounds))]
        zoom = rng.uniform(0.7, 1.6)
        size = (min(GROUND_ROWS, int(rows * zoom) + 1), min(GROUND_COLUMNS, int(columns * zoom) + 1))
        top, left = rng.integers(GROUND_ROWS - size[0] + 1), rng.integers(GROUND_COLUMNS - size[1] + 1)
        ground = cv2.resize(ground[top : top + size[0], left : left + size[1]].astype(np.float32), (columns, rows))
        picture += ground * (rng.uniform(0, 0.45) * contrast / 127) * (1 - 0.7 * ink)
    light = np.linspace(-1, 1, columns, dtype=np.float32)[None] * rng.uniform(-0.25, 0.25)
    light = light + np.linspace(-1, 1, rows, dtype=np.float32)[:, None] * rng.uniform(-0.1, 0.1)
    if rng.random() < 0.3:
        # A shadow's edge.
        edge = (np.arange(columns, dtype=np.float32) - rng.uniform(0, columns)) / rng.uniform(1, 3 * rows)
        light = light - rng.uniform(0.1, 0.35) / (1 + np.exp(-np.clip(edge, -20, 20)))[None]
    picture *= 1 + light
    if rng.random() < style.glare:
        at, wide = rng.uniform(0, columns), rng.uniform(0.5, 4) * rows
        down = np.exp(-(((np.arange(rows) - rng.uniform(0, rows)) / wide) ** 2)).astype(np.float32)
        along = np.exp(-(((np.arange(columns) - at) / wide) ** 2)).astype(np.float32)
        picture += (255 - picture) * (rng.uniform(0.1, 0.6) * down[:, None] * along[None])
    if style.foreign and rng.random() < 0.34:
        # A halftone.
        period, angle = rng.uniform(0.12, 0.25) * height, rng.uniform(0, np.pi / 2)
        y, x = np.mgrid[:rows, :columns].astype(np.float32) * (2 * np.pi / max(period, 2))
        dots = np.cos(x * np.cos(angle) + y * np.sin(angle)) * np.cos(y * np.cos(angle) - x * np.sin(angle))
        picture += 0.25 * contrast * dots
    sigma = float(np.hypot(_low(rng, style.blur) * height, rng.uniform(0.25, 0.6)))
    if rng.random() < 0.5 or sigma < 0.8:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    else:
        # A disc has the same deviation as a Gaussian of half its radius.
        side = 2 * int(np.ceil(2 * sigma)) + 1
        reach = np.hypot(*np.mgrid[-(side // 2) : side // 2 + 1, -(side // 2) : side // 2 + 1])
        disc = np.clip(2 * sigma + 0.5 - reach, 0, 1).astype(np.float32)
        picture = cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)
    if rng.random() < style.motion:
        side = max(3, int(height * rng.uniform(0.1, 0.45)) | 1)
        kernel, angle = np.zeros((side, side), np.float32), rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * side / 2
        ends = [tuple(int(v) for v in np.rint(side / 2 - 0.5 + sign * reach)) for sign in (-1, 1)]
        cv2.line(kernel, *ends, 1.0, 1)
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    start = rng.integers(len(noise) - rows * columns)
    picture += noise[start : start + rows * columns].reshape(rows, columns) * _low(rng, style.noise)
    if rng.random() < 0.35:
        picture += rng.uniform(0.3, 1.5) * (picture - cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.7, 1.6)))
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    quality = int(rng.uniform(*style.quality))
    if style.foreign:
        if rng.random() < 0.5:
            picture = cv2.medianBlur(picture, 3)
        _, data = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])
    else:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
