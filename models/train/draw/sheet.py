"""A ground and strokes -> the face of a document; places are shares of its sides."""

import numpy as np
from PIL import Image, ImageDraw

from .stock import HAN_FACE, SANS

LONG = 480  # of a face's long side, in pixels
# Long side over short side.
ID1, ID3, A4 = 85.6 / 54.0, 125 / 88, 2**0.5
INK, BLUE, RED, GOLD = (25, 25, 30), (40, 95, 165), (195, 35, 40), (214, 168, 70)


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
