"""A sheet -> marks on it: codes, chips, flags, emblems, arms, seals, signatures, holograms."""

import cv2
import numpy as np
from PIL import Image, ImageDraw

from .sheet import GOLD, INK
from .stock import HAN_FACE
from .tones import clouds, gradient, tone
from .words import chance, han


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
