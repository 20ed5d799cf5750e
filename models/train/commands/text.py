"""The reader of print in the package `rapidocr` -> models/text_net.onnx and the symbols of its classes, text_net.txt.

    python -m train text [--out models]
    python -m train text --check [--fonts DIR] [--count 400]

Nothing is learnt: the symbols are cut to ASCII and the common Chinese characters, the input is one grey line, weights are
held in 8 bits. `--check` measures what that costs on drawn lines of documents, beside the network as the package has it.
"""

import os
import tempfile

import numpy as np

from .. import options
from ..draw.text_lines import TEXTS, drawn_line
from ..figures import share
from ..nets.graph import session, write_manifest
from ..nets.text import export

SEED = 40_000_000


def read(run, kept, line):
    """The text of a drawn line, as the likeliest class of each frame says it."""
    classes = run.run(None, {"line": line[None, None].astype(np.float32)})[0][0].argmax(1)
    ends = np.flatnonzero(np.diff(classes, append=-1))
    return "".join(kept[classes[end] - 1] for end in ends if classes[end])


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
            exact = sum(read(run, kept, picture) == text for picture, text in lines)
            print(f"| {name} | {kind} | {count} | {share(exact, count)} |", flush=True)


def main():
    parser = options.parser(__doc__)
    options.out(parser)
    options.fonts(parser)
    parser.add_argument("--check", action="store_true", help="measure the exported net")
    parser.add_argument("--count", type=int, default=400, help="lines of each kind that --check draws")
    args = parser.parse_args()
    if args.check:
        return check(args.out, args.fonts, args.count)
    kept = export(os.path.join(args.out, "text_net.onnx"))
    with open(os.path.join(args.out, "text_net.txt"), "w", encoding="utf-8") as file:
        file.write("".join(f"{symbol}\n" for symbol in kept))
    write_manifest(args.out, ["text_net"])
