"""`document_corners.csv` -> frames with marked documents, and which of them may be trained on."""

import csv
import os

import cv2
import numpy as np

from ..draw.camera import HEIGHT, WIDTH
from ..draw.documents import cut, laid

SEEN_TYPES = ("alb_id", "aze_passport", "est_id", "svk_id")
UNSEEN_SETTINGS = ("04", "07")  # how the clips' names begin: bars of shadow on white, coloured light and clutter


def marked_rows(root):
    with open(os.path.join(root, "document_corners.csv"), newline="") as file:
        return list(csv.DictReader(file))


KIND_OF_TYPE = {
    "alb_id": "portrait_side",
    "est_id": "portrait_side",
    "svk_id": "portrait_side",
    "fin_id": "portrait_side",
    "aze_passport": "passport_page",
    "grc_passport": "passport_page",
    "rus_internalpassport": "passport_page",
}
# Where the portrait is on the types that are trained on: left, top, right, bottom in shares.
PORTRAITS = {
    "alb_id": (0.09, 0.17, 0.31, 0.6),
    "aze_passport": (0.07, 0.19, 0.24, 0.58),
    "est_id": (0.08, 0.22, 0.31, 0.74),
    "svk_id": (0.07, 0.21, 0.28, 0.74),
}


def read(path):
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def fitted(size, long):
    """`size` made smaller until its long side is `long`; never below 8 pixels a side."""
    factor = min(1.0, long / max(size))
    return max(8, round(size[0] * factor)), max(8, round(size[1] * factor))


def in_unseen_setting(row):
    return os.path.basename(row["path"]).split(".")[0] in UNSEEN_SETTINGS


def corners_of(row, names=("x{k}", "y{k}"), kind=np.float32):
    return np.array([[float(row[name.format(k=k)]) for name in names] for k in range(4)], kind)


def seen_rows(root):
    """Marked frames that may be trained on."""
    return [row for row in marked_rows(root) if row["document"] in SEEN_TYPES and not in_unseen_setting(row)]


def portraits(root):
    """Portraits cut from the marked frames that may be trained on."""
    found = []
    for row in seen_rows(root):
        found.append(portrait_of(cut(read(os.path.join(root, row["path"])), corners_of(row)), row["document"]))
    return found


def portrait_of(face, document):
    """The portrait on a straight document of that type."""
    h, w = face.shape[:2]
    x0, y0, x1, y1 = (round(v * s) for v, s in zip(PORTRAITS[document], (w, h, w, h)))
    return face[y0:y1, x0:x1]


def outline(image):
    h, w = image.shape[:2]
    return np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)


def lengthwise(corners):
    """The two turns that bring the longer side across."""
    across, down = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    return (0, 2) if across >= down else (1, 3)


def straight(image, corners, turn):
    """As the program lays it: the upright document at `corners` turned by `turn` quarters, area-averaged."""
    return cv2.resize(cut(image, laid(corners, turn)), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
