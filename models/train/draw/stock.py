"""Font packages, photographs and portraits -> what the drawing takes from outside."""

import os

from matplotlib import font_manager
from PIL import ImageFont

# Of Debian.
PACKAGES = (
    "fonts-ocr-b fonts-ocr-a fonts-dejavu-core fonts-dejavu-extra fonts-liberation fonts-inconsolata "
    "fonts-freefont-ttf fonts-roboto-unhinted fonts-wqy-microhei fonts-b612 fonts-noto-mono fonts-lato"
)
SANS = (
    "LiberationSans-Regular.ttf",
    "LiberationSans-Bold.ttf",
    "DejaVuSans.ttf",
    "DejaVuSansCondensed-Bold.ttf",
    "Roboto-Regular.ttf",
    "RobotoCondensed-Regular.ttf",
    "LiberationSansNarrow-Regular.ttf",
    "FreeSans.ttf",
    "Lato-Regular.ttf",
    "Lato-Bold.ttf",
)
SERIF = ("LiberationSerif-Regular.ttf", "LiberationSerif-Bold.ttf", "FreeSerif.ttf", "DejaVuSerif.ttf")
MONO = ("LiberationMono-Regular.ttf", "DejaVuSansMono.ttf", "Inconsolata.otf", "FreeMonoBold.ttf")
HAN_FACE, MACHINE_FACE = "wqy-microhei.ttc", "OCRB.otf"


def typefaces(names, folders=()):
    """-> file name -> path of the typefaces on this machine and in `folders`, `names` at least."""
    found = sorted(font_manager.findSystemFonts()) + sorted(font_manager.findSystemFonts(list(folders)))
    files = {os.path.basename(path): path for path in found}
    missing = [name for name in names if name not in files]
    if missing:
        raise SystemExit(f"no {', '.join(missing)}: install {PACKAGES} or name their folder with --fonts")
    return files


class Stock:
    """What the drawing takes from outside: typefaces, photographs of things, portraits (may be none)."""

    def __init__(self, photos, portraits=(), folders=()):
        self.photos, self.portraits, self.fonts = photos, portraits, {}
        self.papers = []  # documents laid straight, of which pieces may lie over others
        self.files = typefaces((*SANS, *SERIF, *MONO, HAN_FACE, MACHINE_FACE), folders)

    def font(self, name, size):
        key = (name, max(4, round(size)))
        if key not in self.fonts:
            self.fonts[key] = ImageFont.truetype(self.files[name], key[1], layout_engine=ImageFont.Layout.BASIC)
        return self.fonts[key]
