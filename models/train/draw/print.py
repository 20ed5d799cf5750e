"""Faces -> glyphs, printed grounds, and the styles in which a line is set and photographed."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .numbers import SYMBOLS
from .stock import typefaces

# file -> share in training. OCR-B above all; the rest so that numbers in other machine faces are read too.
TRAINED = {
    "OCRB.otf": 50,
    "OCRBL.otf": 4,
    "OCRA.ttf": 2,
    "OCRABold.ttf": 1,
    "OCRACondensed.ttf": 1,
    "DejaVuSansMono.ttf": 4,
    "DejaVuSansMono-Bold.ttf": 2,
    "LiberationMono-Regular.ttf": 3,
    "LiberationMono-Bold.ttf": 3,
    "Inconsolata.otf": 2,
    "FreeMonoBold.ttf": 2,
    "LiberationSans-Regular.ttf": 5,
    "LiberationSans-Bold.ttf": 3,
    "LiberationSansNarrow-Regular.ttf": 2,
    "DejaVuSans.ttf": 3,
    "DejaVuSansCondensed-Bold.ttf": 2,
    "Roboto-Regular.ttf": 3,
    "RobotoCondensed-Regular.ttf": 2,
    "FreeSans.ttf": 2,
    "LiberationSerif-Bold.ttf": 1,
    "wqy-microhei.ttc": 4,
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
LABELS = (
    "公民身份号码",
    "身份证号",
    "证件号码",
    "统一社会信用代码",
    "号码",
    "编号",
    "护照号",
    "签发机关",
    "有效期限",
    "number:",
    "no.",
    "card no.",
    "code:",
    "id:",
)
UNSEEN_LABELS = ("passport no.", "date of birth", "account:", "issued by")
HAN = (
    "公民身份号码姓名性别男女民族汉出生年月日住址省市区县街道路村组室"
    "签发机关公安局分有效期限长统一社会信用代中华人民共和国居"
)
LEVELS = (12, 18, 27, 40)  # capitals' height in the atlas, px
ABOVE, BELOW = 1.3, 0.5  # of a glyph's cell over and under the baseline, in heights of capitals
GROUNDS, GROUND_ROWS, GROUND_COLUMNS = 160, 160, 1600


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
CLEAN = Style(
    faces="OCR-B",
    height=(20, 40),
    crop=(16, 24),
    blur=(0, 0.04),
    motion=0,
    noise=(0, 3),
    contrast=(70, 200),
    quality=(75, 95),
    bend=0.5,
    glare=0,
)
COMMON = replace(
    CLEAN, blur=(0, 0.08), motion=0.1, noise=(1, 6), contrast=(40, 200), quality=(60, 95), bend=1.0, glare=0.15
)
# Half legible: where a reader is most likely to read something else than what stands there.
HARD = replace(
    COMMON, height=(7, 16), blur=(0.02, 0.16), motion=0.4, noise=(1, 8), contrast=(25, 140), quality=(20, 80), glare=0.4
)


class Atlas:
    """Glyphs of the faces at `LEVELS`, drawn once."""

    def __init__(self, folders=(), faces=("trained",)):
        names = sorted({name for group in faces for name in FACES[group]} | {LABEL_FACE})
        self.files = typefaces(names, folders)
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
