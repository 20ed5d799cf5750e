"""A random generator -> a made-up line of a Chinese document, photographed, and what stands in it.

Nothing learns from these lines: they measure what the shipped reader of print makes of lines that it is asked for.
"""

import functools

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .numbers import credit_code, id_number
from .stock import HAN_FACE, typefaces
from .words import pick

ROWS, DRAWN = 48, 72  # of the strip, and of the characters before the camera, in pixels
PRINT = 0.62  # of the strip's rows that the characters take
TITLES = (
    "港澳居民来往内地通行证",
    "台湾居民来往大陆通行证",
    "港澳居民居住证",
    "台湾居民居住证",
    "外国人永久居留身份证",
    "统一社会信用代码证书",
    "临时居民身份证",
    "营业执照",
    "事业单位法人证书",
    "社会团体法人登记证书",
)


def _day(rng, years):
    return rng.integers(*years), rng.integers(1, 13), rng.integers(1, 29)


def _validity(rng):
    year, month, day = _day(rng, (2004, 2026))
    begin = f"{year}.{month:02}.{day:02}-"
    return begin + ("长期" if rng.random() < 0.2 else f"{year + pick(rng, (5, 10, 20))}.{month:02}.{day:02}")


def _term(rng):
    plain = lambda day: "{}年{:02}月{:02}日".format(*day)
    begin, end = plain(_day(rng, (1990, 2020))), plain(_day(rng, (2021, 2060)))
    return pick(rng, (f"{begin}至{end}", f"{begin}至长期", f"自{begin}至{end}"))


TEXTS = {
    "validity": _validity,
    "term": _term,
    "title": lambda rng: pick(rng, TITLES),
    "resident number": id_number,
    "credit code": credit_code,
}


@functools.cache
def _font(folders):
    return ImageFont.truetype(typefaces((HAN_FACE,), folders)[HAN_FACE], DRAWN, layout_engine=ImageFont.Layout.BASIC)


def drawn_line(rng, kind, folders=()):
    """-> (uint8 [48,W], the text), W a multiple of 8."""
    text = TEXTS[kind](rng)
    font = _font(tuple(folders))
    left, top, right, bottom = font.getbbox(text)
    margin = round(0.5 * DRAWN)
    sheet = Image.new("L", (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin))
    ImageDraw.Draw(sheet).text((margin - left, margin - top), text, font=font, fill=255)
    ink = np.asarray(sheet, np.float32) / 255
    # The camera has 14 to 40 pixels for the characters.
    height = rng.uniform(14, 40)
    by = height / (bottom - top)
    size = (max(8, round(ink.shape[1] * by)), max(8, round(ink.shape[0] * by)))
    ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    paper, contrast = rng.uniform(140, 250), rng.uniform(50, 130)
    light = 1 + rng.uniform(-0.2, 0.2) * np.linspace(-1, 1, size[0], dtype=np.float32)[None]
    picture = cv2.GaussianBlur((paper - contrast * ink) * light, (0, 0), rng.uniform(0.3, 0.06 * height))
    picture += rng.normal(0, rng.uniform(1, 6), picture.shape)
    _, data = cv2.imencode(
        ".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(60, 95))]
    )
    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    # And is cut out as the program does: the characters so high in the strip, a little free on every side.
    scale = PRINT * ROWS / height
    rows = ROWS / scale
    above = (picture.shape[0] - rows) / 2
    columns = int(np.ceil(picture.shape[1] * scale / 8)) * 8
    back = np.array([[1 / scale, 0, 0], [0, 1 / scale, above]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, back, (columns, ROWS), flags=flags, borderMode=cv2.BORDER_REPLICATE), text
