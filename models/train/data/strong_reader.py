"""A photograph -> the lines that a strong reader sees in it, and what it reads there.

The strong reader is PP-OCRv6 from the package `rapidocr` (Apache-2.0), used in training alone and never shipped.
"""

import cv2
import numpy as np


class StrongReader:
    def __init__(self):
        from rapidocr import RapidOCR
        from rapidocr.ch_ppocr_rec.typings import TextRecInput

        quiet = {
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.text_score": 0.0,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
        self.engine, self.input = RapidOCR(params=quiet), TextRecInput
        line = np.full((96, 384, 3), 255, np.uint8)
        cv2.putText(line, "READ THIS", (20, 65), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (0, 0, 0), 4)
        self.engine(line)  # it loads its networks with the first line

    def find(self, picture):
        """-> quads [N,4,2], texts, confidences."""
        said = self.engine(picture)
        if said.boxes is None:
            return np.zeros((0, 4, 2), np.float32), [], []
        return np.array(said.boxes, np.float32), list(said.txts), [float(s) for s in said.scores]

    def read(self, strips):
        if not strips:
            return []
        said = self.engine.text_rec(self.input(img=strips, return_word_box=False))
        return list(zip(said.txts, map(float, said.scores)))


def matched(read, wanted):
    """Characters of `wanted` that are in `read` in order (longest common subsequence), as a share."""
    row = [0] * (len(wanted) + 1)
    for a in read:
        last = row[:]
        for j, b in enumerate(wanted):
            row[j + 1] = last[j] + 1 if a == b else max(last[j + 1], row[j])
    return row[-1] / len(wanted)


def strip(picture, quad):
    """The line inside `quad` (from its own top left) seen straight on."""
    w = int(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]), 4))
    h = int(max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]), 4))
    to = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    seen = cv2.warpPerspective(
        picture,
        cv2.getPerspectiveTransform(quad.astype(np.float32), to),
        (w, h),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.ascontiguousarray(np.rot90(seen)) if h >= 1.5 * w else seen  # as the reader itself takes upright lines


_reader = None


def begin():
    """Gives this process its reader: for a pool of workers."""
    global _reader
    cv2.setNumThreads(1)
    _reader = StrongReader()


def reading():
    """The reader that `begin` made."""
    return _reader
