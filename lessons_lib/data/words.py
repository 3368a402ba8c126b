"""Text that comes with Python: the pages of its own documentation, as `help()` shows them, read as numbered words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pydoc_data.topics import topics
from typing import NamedTuple

import numpy as np

from ..core.options import whole


class Words(NamedTuple):
    """A text as numbers, word after word: 0 is the most frequent word, the last number stands for all that are rarer.

    ids, ids_test: from the two halves of the pages; spelling: what each number stands for, the last one "other".
    """

    ids: np.ndarray
    ids_test: np.ndarray
    spelling: list[str]


def words(seed: int = 0, size: int = 48) -> Words:
    """Half of the pages, and the other half to test, drawn by a seed; the first half alone decides which words count.

    Several pages share paragraphs: those of the first half are left out of the test. Each has some tens of thousands of
    words, as many as the Python at hand has. A word is a run of the letters a to z.
    Raises ValueError on a seed < 0 or a size < 2, TypeError where they are no integers.
    """
    whole(seed=seed)
    whole(least=2, size=size)
    pages = np.random.default_rng(seed).permutation(sorted(topics))
    half, rest = (_paragraphs(pages[first::2]) for first in (0, 1))
    known = set(half)
    spelling = [word for word, _ in Counter(" ".join(half).split()).most_common(size - 1)]
    number = {word: i for i, word in enumerate(spelling)}
    ids, ids_test = (
        np.array([number.get(word, len(spelling)) for word in " ".join(part).split()])
        for part in (half, [paragraph for paragraph in rest if paragraph not in known])
    )
    return Words(ids, ids_test, [*spelling, "other"])


def _paragraphs(pages: Iterable[str]) -> list[str]:
    return [" ".join(re.findall("[a-z]+", text)) for page in pages for text in topics[page].lower().split("\n\n")]


def pairs(ids: np.ndarray, size: int = 48) -> np.ndarray:
    """How often each word follows each: counts (size, size), where [i, j] is the number of times that j follows i.

    Raises ValueError unless ids is one row of integers in 0..size-1.
    """
    whole(least=2, size=size)
    ids = np.asarray(ids)
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or (ids.size and not (ids.min() >= 0 and ids.max() < size)):
        raise ValueError(f"ids must be one row of integers in 0..{size - 1}, got {ids!r}")
    return np.bincount(ids[:-1] * size + ids[1:], minlength=size * size).reshape(size, size)
