"""A picture -> what a lens, a sensor and JPEG make of it, at the size that a net reads."""

import cv2
import numpy as np

from .light import light
from .things import thing
from .words import chance

WIDTH, HEIGHT = 192, 120  # what the nets of documents read
SIZE = 192


def camera(canvas, rng):
    if rng.random() < 0.5:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 2.2))
    picture = cv2.resize(canvas.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    picture = picture + rng.normal(0, rng.uniform(0, 5), picture.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.12:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() < 0.3:
        ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return picture


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


def taken(picture, rng):
    """Lens, sensor and JPEG -> the net's input."""
    if chance(rng, 0.15):
        picture = np.repeat(picture @ np.array([[0.299], [0.587], [0.114]]), 3, 2)
    if chance(rng, 0.3):
        picture = np.clip((picture - 128) * rng.uniform(0.75, 1.2) + 128 + rng.uniform(-12, 12), 0, 255)
    wide = min(2 * WIDTH, int(np.exp(rng.uniform(np.log(110), np.log(700)))))
    small = cv2.resize(picture.astype(np.float32), (wide, wide * HEIGHT // WIDTH), interpolation=cv2.INTER_AREA)
    if chance(rng, 0.45):
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.4) * max(1.0, wide / 160))
    if chance(rng, 0.1):
        kernel, angle, reach = np.zeros((9, 9), np.float32), rng.uniform(0, np.pi), rng.uniform(1, 4)
        ends = [tuple(int(round(4 + s * reach * v)) for v in (np.cos(angle), np.sin(angle))) for s in (-1, 1)]
        cv2.line(kernel, *ends, 1.0)
        small = cv2.filter2D(small, -1, kernel / kernel.sum())
    small = np.clip(small + rng.normal(0, rng.uniform(0, 7), small.shape), 0, 255).astype(np.uint8)
    if chance(rng, 0.6):
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 96))])
        small = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if wide >= WIDTH else cv2.INTER_LINEAR)
