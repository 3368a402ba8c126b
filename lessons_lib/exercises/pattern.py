"""In which way wrong numbers are wrong: what would make them right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .difference import near

MENDED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the sign is wrong": np.negative,
    "it is upside down": np.reciprocal,
    "a square root is missing": np.sqrt,
    "there is a square root too many": np.square,
    "a logarithm is missing": np.log,
    "there is a logarithm too many": np.exp,
}


def flat(value: Any) -> np.ndarray:
    """All numbers in (lists of) arrays, in one row."""
    parts = [flat(part) for part in value] if isinstance(value, list | tuple) else [np.ravel(value).astype(float)]
    return np.concatenate([*parts, np.zeros(0)])


def pattern(got: list, wanted: list, single: bool = False) -> str:
    """In a few words how the results `got` are wrong, those of some calls; empty where nothing simple would mend them.

    What mends the wrong numbers may spoil the right ones; then it is told for how many it holds.
    """
    x, y = flat(got), flat(wanted)
    if x.shape != y.shape or not np.isfinite([x, y]).all():
        return ""
    wrong = ~near(x, y, single)
    for words, mended in _candidates(x[wrong], y[wrong]):
        with np.errstate(all="ignore"):
            right = near(mended(x), y, single)
            if right.all():
                return words
            if right[wrong].all():
                return f"{words} in {wrong.sum()} of {wrong.size} places"
    if inputs := sum(near(flat(a), flat(b), single).all() for a, b in zip(got, wanted, strict=True)):
        return f"it is right for {inputs} of {len(got)} inputs"
    return f"it is right in {(~wrong).sum()} of {wrong.size} places" if wrong.mean() < 0.8 else ""


def _candidates(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, Callable]]:
    """What can be told from these wrong numbers: from a single one, and from a small whole one, little."""
    several = len(np.unique(np.round(y, 9))) > 1
    for words, mended in MENDED.items():
        if several or mended is np.negative or np.any(y % 1):
            yield words, mended
    if several and x[0] and y[0]:
        factor, shift = x[0] / y[0], x[0] - y[0]
        if abs(factor - 1) > 1e-3:
            yield f"it is {factor:.4g} times what is wanted", lambda x: x / factor
        yield f"it is too {'large' if shift > 0 else 'small'} by {abs(shift):.4g}", lambda x: x - shift
