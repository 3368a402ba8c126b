"""What the methods share: numbers out of vectors, and the check of a starting point."""

import math

from ..core import is_half
from ..core.dtypes import namespace, outside_autocast
from ..core.options import is_number
from ..core.rule import floating


def dot(a, b) -> float:
    with outside_autocast(a):
        return float(a @ b)


def value_at(value, theta) -> float:
    """value(theta) as a float, inf and NaN included."""
    found = value(theta)
    if not is_number(found):
        raise TypeError(f"value(theta) must be one number, got a {type(found).__name__}")
    return float(found)


def largest(a) -> float:
    """max |a|, 0 for an empty vector."""
    xp = namespace(a)
    return float(xp.max(xp.abs(a))) if math.prod(a.shape) else 0.0


def vector(**arrays) -> None:
    """Raise unless each array is (d,), holds float32 or float64 and is finite."""
    floating(**arrays)
    for name, a in arrays.items():
        if is_half(a):
            raise TypeError(f"{name} must be float32 or float64: {a.dtype} has too few digits for second order")
        if a.ndim != 1:
            raise ValueError(f"{name} must be shaped (d,), got {tuple(a.shape)}")
        xp = namespace(a)
        if not bool(xp.all(xp.isfinite(a))):
            raise ValueError(f"{name} must be finite, got inf or NaN in it")
