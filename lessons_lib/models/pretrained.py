from __future__ import annotations

from ..records import BASE
from .files import Saved, load


def pretrained(device: str = "cpu") -> Saved:
    """The small model that comes with the course, with its tokenizer: pre-trained on Python's pages by `make base`.

    about: the recipe, the versions, the date, and the course of its loss. Raises FileNotFoundError where it is missing.
    """
    return load(BASE, device)
