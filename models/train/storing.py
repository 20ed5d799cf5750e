"""A path -> a file that is there whole or not at all, so that a stopped run never finds half of one."""

import os
from contextlib import contextmanager


@contextmanager
def storing(path):
    """A file to write to; it takes its name when everything is in it."""
    part = path + ".part"
    with open(part, "wb") as file:
        yield file
    os.replace(part, path)
