"""QR codes of a folder of pictures -> how many are read right by this program and by open decoders, in one run.

    cargo build --release --example codes
    python benches/peers/qr.py DIR        (pictures with NAME.expected.txt or .json beside them)

Needs zxing-cpp and pyzbar from PyPI, and zbar's library (Debian: libzbar0). Intervals are exact, 95 %.
"""
import argparse
import json
import pathlib
import re
import subprocess

import zxingcpp
from PIL import Image
from pyzbar.pyzbar import ZBarSymbol, decode
from scipy.stats import beta


def interval(hits, n):
    low = beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0
    return low, high


def expected(path):
    """The text that belongs to a picture; `None` where none is beside it."""
    text, fields = (path.with_name(path.name + ending) for ending in (".expected.txt", ".expected.json"))
    if fields.exists():
        return (json.loads(fields.read_text()) or {}).get("data")
    return text.read_bytes().decode("utf-8", "replace") if text.exists() else None


def like(text):
    return "".join(text.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--codes", default="target/release/examples/codes")
    parser.add_argument("--name", default="", help="only pictures whose paths match this pattern")
    options = parser.parse_args()
    pictures = sorted(p for p in options.folder.rglob("*.png") if re.search(options.name, str(p)) and expected(p))
    ours = subprocess.run([options.codes, *pictures], capture_output=True, text=True, check=True).stdout
    read = {row["path"]: row for row in map(json.loads, ours.splitlines())}
    right = {name: [] for name in ("bonafide", "rqrr", "rxing", "zxing-cpp", "zbar")}
    for path in pictures:
        picture, wanted = Image.open(path).convert("L"), like(expected(path))
        said = {name: read.get(str(path), {}).get(name, []) for name in ("bonafide", "rqrr", "rxing")}
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
        said["zxing-cpp"] = [code.text for code in found]
        said["zbar"] = [code.data.decode("utf-8", "replace") for code in decode(picture, symbols=[ZBarSymbol.QRCODE])]
        for name, texts in said.items():
            right[name].append(wanted in map(like, texts))
        missed = [name for name in right if not right[name][-1]]
        if missed:
            print(f"{path.name}: not by {', '.join(missed)}")
    print("| decoder | read right | n |\n| --- | --- | --- |")
    for name, hits in right.items():
        low, high = interval(sum(hits), len(hits))
        print(f"| {name} | {100 * sum(hits) / len(hits):.1f} % [{100 * low:.1f}, {100 * high:.1f}] | {len(hits)} |")


if __name__ == "__main__":
    main()
