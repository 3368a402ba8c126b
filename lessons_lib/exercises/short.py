"""Arguments and results in few characters, for a verdict."""

from __future__ import annotations

from typing import Any

import numpy as np

ENTRIES, LONGEST = 4, 40  # how many of an array are shown, and the characters of one value


def short(value: Any, digits: int = 3) -> str:
    """A number with few digits, an array with its first entries, anything else as Python names it."""
    text = _text(value, digits)
    return text if len(text) <= LONGEST + 3 else f"{text[:LONGEST]}..."


def _text(value: Any, digits: int) -> str:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, list | tuple):
        shown = [_text(part, digits) for part in value[:ENTRIES]] + ["..."] * (len(value) > ENTRIES)
        return f"[{', '.join(shown)}]"
    return getattr(value, "__name__", repr(value))
