"""A command's docstring -> its parser; and the options that several commands share."""

import argparse
import os

from .paths import CACHE, MODELS

# What looks at a capture.
TUNED, PRETRAINED, STUDENT = READERS = ("tuned", "pretrained", "student")


def parser(about):
    return argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def photos(to, what="folder with captures.csv"):
    to.add_argument("--photos", required=True, help=what)


def out(to):
    to.add_argument("--out", default=MODELS, help="folder of the nets and of manifest.toml")


def without(to):
    to.add_argument("--without", metavar="CSV", help="leave out the sources of its rows; for --out, a copy of models/")


def cache(to, *folder, what="what is made and the state of the training"):
    to.add_argument("--cache", default=os.path.join(CACHE, *folder), help=what)


def fonts(to):
    to.add_argument("--fonts", action="append", default=[], help="another folder with the fonts of draw/stock.py")


def workers(to, count=2):
    to.add_argument("--workers", type=int, default=count)


def captures(to):
    """What `nets.readers.load_table` needs."""
    photos(to, "folder with captures.csv and material.csv")
    to.add_argument(
        "--locator", default=os.path.join(MODELS, "locator_net.onnx"), help="says where the second look goes"
    )
    to.add_argument("--simulated", help="folder with labels.csv, written by `bonafide simulate`")
    to.add_argument(
        "--simulated-weight",
        type=float,
        default=0.0,
        help="weight of simulated captures against real ones in the screen heads",
    )
    cache(to, what="folder for pixels, features and students (about 13 GB for 1,700 captures)")
    to.add_argument(
        "--reader",
        choices=READERS,
        default=TUNED,
        help="what looks: the pretrained network as nets/tune.py has tuned it, as it is, or with the student of "
        "nets/student.py for tiles",
    )
    workers(to)
