"""The reader of print in the package `rapidocr` -> models/text_net.onnx and the symbols of its classes, text_net.txt.

    python -m train text [--out models]
    python -m train text --check [--fonts DIR] [--count 400]

Nothing is learnt: the symbols are cut to ASCII and the common Chinese characters, the input is one grey line, weights
are held in 8 bits. `--check` measures what that costs on drawn lines of documents, beside the network as the package
has it, and how many numbers it misreads into others that hold, on the half legible lines of the reader of numbers.
"""

import os
import tempfile

import cv2
import numpy as np

from .. import options
from ..draw.lines import line
from ..draw.numbers import code_consistent, id_consistent, id_number, whole_code
from ..draw.print import HARD, Atlas, Grounds
from ..draw.text_lines import TEXTS, drawn_line
from ..figures import share
from ..nets.graph import session, write_manifest
from ..nets.text import export

SEED = 40_000_000
THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)


def read(run, kept, strip):
    """The text of a drawn line, as the likeliest class of each frame says it, and the confidence of each character."""
    logits = run.run(None, {"line": strip[None, None].astype(np.float32)})[0][0]
    odds = np.exp(logits - logits.max(1, keepdims=True))
    classes, odds = logits.argmax(1), 1 / odds.sum(1)
    starts = [i for i, c in enumerate(classes) if c and (i == 0 or classes[i - 1] != c)]
    ends = [next((j for j in range(i, len(classes)) if classes[j] != classes[i]), len(classes)) for i in starts]
    return "".join(kept[classes[i] - 1] for i in starts), [odds[i:j].max() for i, j in zip(starts, ends)]


def reject(run, kept, fonts, count):
    """What a threshold on the confidence of every character lets through, of numbers that hold and of others."""
    atlas, grounds = Atlas(fonts), Grounds(SEED)
    kinds = (
        ("resident number", id_number, id_consistent),
        ("credit code", whole_code, code_consistent),
    )
    print(
        "\n| half legible | at least | n | read right | read wrong, yet consistent |\n| --- | --- | --- | --- | --- |"
    )
    for number, (name, drawn, consistent) in enumerate(kinds):
        for right in (True, False):
            found = []
            for index in range(count):
                rng = np.random.default_rng((SEED, number, right, index))
                text = drawn(rng, right)
                strip, _ = line(rng, atlas, grounds, HARD, text)
                # The same share of the rows is print in both readers' strips.
                strip = cv2.resize(strip, (strip.shape[1] * 3 // 2, 48), interpolation=cv2.INTER_LINEAR)
                said, odds = read(run, kept, strip)
                # As the program has it: the likeliest 18 characters that hold, wherever they stand in the line.
                said = said.upper().replace("O", "0").replace("I", "1")
                parts = [(said[i : i + 18], min(odds[i : i + 18])) for i in range(len(said) - 17)]
                held = [(part, least) for part, least in parts if consistent(part)]
                found.append((text.upper(), *(held[0] if held else ("", 0.0))))
            for least in THRESHOLDS:
                kept_here = [(text, part) for text, part, sure in found if part and sure >= least]
                same = sum(text == part for text, part in kept_here)
                wrong = len(kept_here) - same
                print(
                    f"| {'' if right else 'altered '}{name} | {least} | {count} | {share(same, count)} "
                    f"| {wrong}: {share(wrong, count, 3)} |",
                    flush=True,
                )


def check(folder, fonts, count):
    path = os.path.join(folder, "text_net.onnx")
    with open(os.path.join(folder, "text_net.txt"), encoding="utf-8") as file:
        kept = file.read().splitlines()
    with tempfile.TemporaryDirectory() as scratch:
        whole = os.path.join(scratch, "whole.onnx")
        export(whole, in_bytes=False)
        runs = {"in bytes, as shipped": session(path), "in floats": session(whole)}
    print("| weights | lines | n | exact |\n| --- | --- | --- | --- |")
    for name, run in runs.items():
        for kind in TEXTS:
            lines = [drawn_line(np.random.default_rng((SEED, index)), kind, fonts) for index in range(count)]
            exact = sum(read(run, kept, picture)[0] == text for picture, text in lines)
            print(f"| {name} | {kind} | {count} | {share(exact, count)} |", flush=True)
    reject(runs["in bytes, as shipped"], kept, fonts, 5 * count)


def main():
    parser = options.parser(__doc__)
    options.out(parser)
    options.fonts(parser)
    parser.add_argument("--check", action="store_true", help="measure the exported net")
    parser.add_argument(
        "--count", type=int, default=400, help="lines of each kind that --check draws, five times as many of numbers"
    )
    args = parser.parse_args()
    if args.check:
        return check(args.out, args.fonts, args.count)
    kept = export(os.path.join(args.out, "text_net.onnx"))
    with open(os.path.join(args.out, "text_net.txt"), "w", encoding="utf-8") as file:
        file.write("".join(f"{symbol}\n" for symbol in kept))
    write_manifest(args.out, ["text_net"])
