"""This file's place -> the folders of the project, whatever folder a command runs in."""

import os

TRAIN = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.dirname(TRAIN)
DATASETS = os.path.join(os.path.dirname(MODELS), "datasets")
CACHE = os.path.expanduser("~/.cache/bonafide-train")
