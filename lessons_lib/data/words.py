"""Text that comes with Python: the pages of its own documentation, as `help()` shows them, read as numbered words."""

from __future__ import annotations

import re
from collections import Counter
from pydoc_data.topics import topics
from typing import NamedTuple

import numpy as np

from ..core.options import whole


class Words(NamedTuple):
    """A text as numbers, word after word: 0 is the most frequent word, the last number stands for all that are rarer.

    ids, ids_test: the two halves of the pages; spelling: what each number stands for, the last one "other".
    """

    ids: np.ndarray
    ids_test: np.ndarray
    spelling: list[str]


def words(seed: int = 0, size: int = 48) -> Words:
    """Half of the pages, and the other half to test, drawn by a seed; the first half alone decides which words count.

    Some 30 000 words in each half, as many as the Python at hand has. A word is a run of the letters a to z.
    Raises ValueError on a seed < 0 or a size < 2, TypeError where they are no integers.
    """
    whole(seed=seed)
    whole(least=2, size=size)
    pages = np.random.default_rng(seed).permutation(sorted(topics))
    halves = [re.findall("[a-z]+", " ".join(topics[p] for p in half).lower()) for half in (pages[::2], pages[1::2])]
    spelling = [word for word, _ in Counter(halves[0]).most_common(size - 1)]
    number = {word: i for i, word in enumerate(spelling)}
    ids, ids_test = (np.array([number.get(word, len(spelling)) for word in half]) for half in halves)
    return Words(ids, ids_test, [*spelling, "other"])


def pairs(ids: np.ndarray, size: int = 48) -> np.ndarray:
    """How often each word follows each: counts (size, size), where [i, j] is the number of times that j follows i.

    Raises ValueError unless ids is one row of integers in 0..size-1.
    """
    whole(least=2, size=size)
    ids = np.asarray(ids)
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or (ids.size and not (ids.min() >= 0 and ids.max() < size)):
        raise ValueError(f"ids must be one row of integers in 0..{size - 1}, got {ids!r}")
    return np.bincount(ids[:-1] * size + ids[1:], minlength=size * size).reshape(size, size)
