"""A command's docstring -> its parser; and the options that several commands share."""

import argparse
import os

from .paths import CACHE, MODELS


def parser(about):
    return argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def photos(to, what="folder with captures.csv"):
    to.add_argument("--photos", required=True, help=what)


def out(to):
    to.add_argument("--out", default=MODELS, help="folder of the nets and of manifest.toml")


def cache(to, *folder, what="what is made and the state of the training"):
    to.add_argument("--cache", default=os.path.join(CACHE, *folder), help=what)


def fonts(to):
    to.add_argument("--fonts", action="append", default=[], help="another folder with the fonts of draw/stock.py")


def workers(to, count=2):
    to.add_argument("--workers", type=int, default=count)
