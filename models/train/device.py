"""This machine -> where networks run."""

import torch


def device():
    """The graphics card where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
