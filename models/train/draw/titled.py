"""A random generator and a name -> a drawn photograph of a Chinese card, licence or letter that bears it.

Nothing learns from these: they measure whether the program reads what a document calls itself.
"""

import cv2
import numpy as np

from .marks import emblem
from .paper import chinese_ground
from .portrait import portrait
from .sheet import A4, ID1, RED, Sheet
from .tones import gradient, tone
from .words import digits, han, pick

# Names as `src/reading/title.rs` has them, by the word of reports.
CARDS = {
    "居民身份证": "resident_identity_card",
    "临时居民身份证": "temporary_identity_card",
    "港澳居民来往内地通行证": "hong_kong_macao_permit",
    "台湾居民来往大陆通行证": "taiwan_permit",
    "港澳居民居住证": "hong_kong_macao_residence_permit",
    "台湾居民居住证": "taiwan_residence_permit",
    "外国人永久居留身份证": "permanent_residence_card",
    "居住证": "residence_permit",
}
PAPERS = {
    "营业执照": "business_licence",
    "组织机构代码证": "organisation_code_certificate",
    "统一社会信用代码证书": "credit_code_certificate",
    "事业单位法人证书": "public_institution_certificate",
    "社会团体法人登记证书": "social_organisation_certificate",
    "民办非企业单位登记证书": "private_non_enterprise_certificate",
    "网站备案授权书": "letter",
    "真实性承诺书": "letter",
}
LONG = 1500  # of a face's long side, in pixels
FRAME = (2016, 1512)  # of the photograph


def card(stock, rng, name):
    """The side of a card that names it: emblem or portrait, name, two or three fields."""
    h = round(LONG / ID1)
    sheet = Sheet(stock, rng, chinese_ground(stock, rng, (h, LONG)))
    ink, j = tone(rng, 5, 55), lambda: rng.normal(0, 0.01)
    size = min(0.12 * rng.uniform(0.85, 1.1), 0.7 * LONG / h / len(name))
    if name.endswith("身份证") or rng.random() < 0.4:
        emblem(sheet, (0.15 + j(), 0.24 + j()), rng.uniform(0.13, 0.17))
        if "国" not in name:
            sheet.text((0.61 + j(), 0.11 + j()), "中华人民共和国", 0.085 * rng.uniform(0.9, 1.1), ink, anchor="ma")
        sheet.text((0.61 + j(), 0.265 + j()), name, size, ink, anchor="ma")
        rows = 0.7
    else:
        sheet.text((0.56 + j(), 0.06 + j()), name, size * 0.8, pick(rng, (ink, RED)), anchor="ma")
        face, mask = portrait(stock, rng, 240, 320)
        sheet.paste(face, (0.06 + j(), 0.24 + j(), 0.32 + j(), 0.82 + j()), mask)
        rows = 0.32
    for k, key in enumerate(("签发机关", "有效期限")):
        y = rows + 0.13 * k + j()
        text = han(rng, 8) if k == 0 else f"2022.{rng.integers(1, 13):02}.{rng.integers(1, 29):02}-长期"
        sheet.text((0.36 + j(), y), key, 0.055, tone(rng, 10, 90))
        sheet.text((0.55, y), text, 0.058, ink)
    return sheet.done()


def paper(stock, rng, name):
    """A licence, certificate or letter: name, lines of fields or of text."""
    upright = name.endswith("书") and "证书" not in name or rng.random() < 0.5
    w, h = (round(LONG / A4), LONG) if upright else (LONG, round(LONG / A4))
    base = np.array([rng.integers(238, 256), rng.integers(238, 254), rng.integers(225, 250)])
    sheet = Sheet(stock, rng, np.clip(gradient((h, w), base, base - rng.uniform(0, 12), rng), 0, 255).astype(np.uint8))
    ink, top = tone(rng, 5, 60), 0.1
    if name.startswith("营") or "证" in name:
        sheet.pen.rectangle((30, 30, w - 30, h - 30), outline=(190, 150, 70), width=8)
        emblem(sheet, (0.5, 0.11), 0.05 if upright else 0.07)
        top = 0.18
    high = min((0.055 if upright else 0.09) * rng.uniform(0.8, 1.15), 0.75 * w / h / len(name))
    sheet.text((0.5, top), "  ".join(name) if len(name) == 4 and rng.random() < 0.5 else name, high, ink, anchor="ma")
    size = 0.018 if upright else 0.028
    y = top + 2 * high
    while y < 0.75:
        sheet.text((0.12, y), han(rng, 4), size, tone(rng, 20, 110))
        sheet.text((0.3, y), han(rng, int(rng.integers(6, 20))), size, ink)
        y += size * rng.uniform(1.8, 2.4)
    sheet.text((0.12, 0.8), digits(rng, 18), size, ink)
    return sheet.done()


def photographed(face, rng):
    """The face on a desk, a little tilted, in uneven light, through a lens and JPEG."""
    (w, h), (wide, high) = (face.shape[1], face.shape[0]), FRAME if face.shape[1] > face.shape[0] else FRAME[::-1]
    long = rng.uniform(0.62, 0.85) * max(wide, high)
    by = min(long / max(w, h), 0.9 * wide / w, 0.9 * high / h)
    box = np.array([[-w, -h], [w, -h], [w, h], [-w, h]], np.float32) * by / 2
    turn = np.radians(rng.normal(0, 4))
    box = box @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], np.float32)
    box += rng.normal(0, 0.012, (4, 2)) * long + np.array([wide, high]) / 2
    m = cv2.getPerspectiveTransform(np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32), box.astype(np.float32))
    a = np.array(tone(rng, 40, 170), float)
    picture = gradient((high, wide), a, a * rng.uniform(0.7, 0.95), rng).astype(np.float32)
    picture += cv2.GaussianBlur(rng.normal(0, 40, picture.shape).astype(np.float32), (0, 0), 3)
    cover = cv2.warpPerspective(np.ones((h, w), np.float32), m, (wide, high), flags=cv2.INTER_LINEAR)[..., None]
    seen = cv2.warpPerspective(face.astype(np.float32), m, (wide, high), flags=cv2.INTER_AREA)
    shade = cv2.GaussianBlur(cv2.warpPerspective(np.ones((h, w), np.float32), m, (wide, high)), (0, 0), 12)
    picture = picture * (1 - 0.35 * np.roll(shade, (10, 8), (0, 1))[..., None]) * (1 - cover) + seen * cover
    fall = gradient((high, wide), np.full(3, 1.05), np.full(3, rng.uniform(0.75, 0.95)), rng)
    picture = cv2.GaussianBlur(picture * fall, (0, 0), rng.uniform(0.5, 1.2)) + rng.normal(0, 2.5, picture.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(80, 96))]
    ok, data = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8)[..., ::-1], quality)
    assert ok
    return data.tobytes()
