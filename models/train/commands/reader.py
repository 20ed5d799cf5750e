"""Made-up lines -> models/reader_net.onnx: what stands in a machine-printed line of a document.

    python -m train reader [--out models] [--fonts DIR] [--cache DIR]

The lines are drawn first (`draw/lines.py`), then learnt; a stopped run goes on where it last saved. `--check` measures
an exported net on lines of other seeds, in faces and with damage that are in no training line, and prints the tables of
the notebook. The fonts are those of `draw/stock.py`.
"""

import os
import time
from dataclasses import replace

import cv2
import numpy as np
import torch

from .. import options
from ..draw.lines import line
from ..draw.numbers import credit_code, id_consistent, id_number, mrz, zone_consistent, zone_line
from ..draw.print import CLEAN, COMMON, FACES, HARD, TRAINING, UNSEEN_LABELS, Atlas, Grounds, Style
from ..figures import share
from ..nets.engines import agree
from ..nets.graph import session, write_manifest
from ..nets.reader import decode, export, text_of, train
from ..storing import storing

PART = 4_000  # lines drawn at a time
FIRST_SEED = 10_000_000
CHECK_SEED = 1
# Name, what is set, style, lines. What is called unseen was in no training line.
SETS = (
    ("ID number, clean", "id", CLEAN, 3000),
    ("ID number, capitals of 16 px", "id", replace(COMMON, height=(16, 16)), 3000),
    ("MRZ line, clean", "mrz", CLEAN, 3000),
    ("MRZ line, capitals of 16 px", "mrz", replace(COMMON, height=(16, 16)), 2000),
    ("social credit code, clean", "code", CLEAN, 2000),
    ("ID number, clean, trained faces as in training", "id", replace(CLEAN, faces="trained"), 2000),
    ("ID number, common damage, 20 to 40 px", "id", COMMON, 2000),
    ("MRZ line, common damage, 20 to 40 px", "mrz", COMMON, 2000),
    ("ID number, clean, unseen `OCRBS`", "id", replace(CLEAN, faces="OCR-B sharp"), 2000),
    ("MRZ line, clean, unseen `OCRBS`", "mrz", replace(CLEAN, faces="OCR-B sharp"), 2000),
    ("ID number, clean, unseen designs", "id", replace(CLEAN, faces="others"), 2000),
    ("ID number, clean, unseen Latin label before three in ten", "id", replace(CLEAN, labels=UNSEEN_LABELS), 2000),
    ("ID number, unseen damage, 20 to 40 px", "id", replace(COMMON, foreign=True), 2000),
    ("MRZ line, unseen damage, 20 to 40 px", "mrz", replace(COMMON, foreign=True), 2000),
    (
        "ID number, `OCRBS` with unseen damage, 16 px",
        "id",
        replace(COMMON, height=(16, 16), foreign=True, faces="OCR-B sharp"),
        2000,
    ),
)
HEIGHTS, SIGMAS, SWEPT = (8, 10, 12, 16, 20, 28), (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0), 1000
THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
REJECTED = 20_000


def draw_lines(cache, fonts, count):
    """Lines in parts of `PART`; -> [(pixels, widths, texts)], the pixels strip after strip."""
    os.makedirs(cache, exist_ok=True)
    atlas, grounds, parts, start = None, None, [], time.time()
    for part in range(count // PART):
        path = os.path.join(cache, f"lines_{part:03d}.npz")
        if not os.path.exists(path):
            if atlas is None:
                atlas, grounds = Atlas(fonts), Grounds(FIRST_SEED)
            strips = [
                line(np.random.default_rng(FIRST_SEED + part * PART + i), atlas, grounds, TRAINING) for i in range(PART)
            ]
            with storing(path) as file:
                np.savez(
                    file,
                    pixels=np.concatenate([strip.ravel() for strip, _ in strips]),
                    widths=np.array([strip.shape[1] for strip, _ in strips]),
                    texts=np.array([text for _, text in strips]),
                )
            print(f"lines: {(part + 1) * PART}/{count}, {time.time() - start:.0f} s", flush=True)
        stored = np.load(path)
        parts.append((stored["pixels"], stored["widths"], stored["texts"]))
    return parts


def some_lines(fonts, count=100):
    """Lines as the net takes them, to see that engines agree."""
    atlas, grounds = Atlas(fonts), Grounds(CHECK_SEED)
    for seed in range(count):
        yield line(np.random.default_rng(seed), atlas, grounds, Style())[0][None, None].astype(np.float32)


def distance(a, b):
    """Levenshtein."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


class Examiner:
    def __init__(self, path, fonts):
        self.run = session(path)
        self.atlas, self.grounds, self.sets = Atlas(fonts, list(FACES)), Grounds(CHECK_SEED), 0

    def readings(self, kind, style, count):
        """-> what is set (`x` as `X`), what is read, and the confidences, line by line."""
        self.sets += 1
        for index in range(count):
            rng = np.random.default_rng((CHECK_SEED, self.sets, index))
            text = {
                "id": id_number,
                "mrz": mrz,
                "altered": lambda rng: id_number(rng, False),
                "zone": zone_line,
                "altered zone": lambda rng: zone_line(rng, False),
                "code": credit_code,
                "none": lambda rng: "",
            }[kind](rng)
            strip, _ = line(rng, self.atlas, self.grounds, style, text)
            read = decode(self.run.run(None, {"line": strip[None, None].astype(np.float32)})[0][0])
            yield text.upper(), text_of(read).upper(), [odd for _, odd, _ in read]

    def accuracy(self, kind, style, count):
        exact, wrong, characters = 0, 0, 0
        for text, read, _ in self.readings(kind, style, count):
            exact, characters = exact + (text == read), characters + len(text)
            wrong += distance(text, read) if text != read else 0
        return exact, wrong / characters


def well_formed(text):
    return len(text) == 18 and text[:17].isdigit() and (text[17].isdigit() or text[17] == "X")


def check(path, fonts):
    """Prints the tables of the model card."""
    examiner = Examiner(path, fonts)
    print("| lines | n | exact | character errors |\n| --- | --- | --- | --- |")
    for name, kind, style, count in SETS:
        exact, errors = examiner.accuracy(kind, style, count)
        print(f"| {name} | {count} | {share(exact, count)} | {100 * errors:.2f} % |", flush=True)
    sweeps = (
        ("capitals in the capture, px", HEIGHTS, lambda v: replace(COMMON, height=(v, v))),
        (
            "sigma of the blur, px of capitals 20 px high",
            SIGMAS,
            lambda v: replace(COMMON, height=(20, 20), blur=(v / 20, v / 20)),
        ),
    )
    for name, values, style in sweeps:
        print(f"\n| {name} | n each | ID number exact | MRZ line exact |\n| --- | --- | --- | --- |")
        for value in values:
            found = [examiner.accuracy(kind, style(value), SWEPT)[0] for kind in ("id", "mrz")]
            print(f"| {value} | {SWEPT} | {share(found[0], SWEPT)} | {share(found[1], SWEPT)} |", flush=True)
    reject(examiner)
    reject_zones(examiner)


def reject(examiner):
    """What a threshold on the confidence of every character lets through."""
    measures = (("least confidence of a character", min), ("product of the confidences", lambda c: float(np.prod(c))))
    populations = (
        ("right number, half legible", "id", HARD, REJECTED),
        ("altered number, half legible", "altered", HARD, REJECTED),
        ("altered number, common damage, 8 to 40 px", "altered", replace(COMMON, height=(8, 40)), 5000),
        ("no number at all, half legible", "none", replace(HARD, faces="trained"), 5000),
    )
    for name, kind, style, count in populations:
        found = list(examiner.readings(kind, style, count))
        for measure, of in measures:
            print(
                f"\n{name}, n = {count}; {measure}\n\n| at least | well formed | read right | read wrong | "
                "wrong, yet consistent | wrong and inconsistent |\n| --- | --- | --- | --- | --- | --- |"
            )
            for threshold in THRESHOLDS:
                kept = [(text, read) for text, read, odds in found if well_formed(read) and of(odds) >= threshold]
                wrong = [read for text, read in kept if text != read]
                passed = sum(id_consistent(read) for read in wrong)
                print(
                    f"| {threshold} | {share(len(kept), count, 2)} | {len(kept) - len(wrong)} | {len(wrong)} | "
                    f"{passed}: {share(passed, count, 3)} | {len(wrong) - passed}: "
                    f"{share(len(wrong) - passed, count, 3)} |",
                    flush=True,
                )
        if kind == "none":
            for least in (0.0, 0.5, 0.9):
                hits = sum(any(odd >= least for odd in odds) for _, _, odds in found)
                print(f"\nany character with confidence of at least {least}: {share(hits, count)}")


def reject_zones(examiner):
    """The same for the second line of a passport, whose check digits cover all but state and sex."""
    print(
        "\n| lines, half legible | at least | n | read right | right and consistent "
        "| covered part wrong, yet consistent |\n"
        "| --- | --- | --- | --- | --- | --- |"
    )
    covered = lambda text: text[:10] + text[13:20].replace("O", "0") + text[21:].replace("O", "0")
    for name, kind in (("right zone", "zone"), ("altered zone", "altered zone")):
        found = list(examiner.readings(kind, HARD, REJECTED))
        for threshold in THRESHOLDS:
            kept = [(text, read) for text, read, odds in found if len(read) == 44 and min(odds) >= threshold]
            right = sum(text == read for text, read in kept)
            held = sum(covered(text) == covered(read) and zone_consistent(read) for text, read in kept)
            passed = sum(covered(text) != covered(read) and zone_consistent(read) for text, read in kept)
            print(
                f"| {name} | {threshold} | {len(found)} | {right} | {held} "
                f"| {passed}: {share(passed, len(found), 3)} |",
                flush=True,
            )


def main():
    parser = options.parser(__doc__)
    options.out(parser)
    options.fonts(parser)
    options.cache(parser, "reader")
    parser.add_argument("--lines", type=int, default=88_000, help=f"a multiple of {PART}")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="measure the net in --out instead of training")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    path = os.path.join(args.out, "reader_net.onnx")
    if args.check:
        check(path, args.fonts)
        return
    model = train(draw_lines(args.cache, args.fonts, args.lines), os.path.join(args.cache, "reader.pt"), args.epochs)
    model = model.to(memory_format=torch.contiguous_format)
    export(model, path)
    print(
        f"{path}: {os.path.getsize(path) / 1e6:.2f} MB, PyTorch and ONNX Runtime agree to "
        f"{agree(model, path, some_lines(args.fonts)):.1e}"
    )
    write_manifest(args.out, ["reader_net"])
