"""What several rules share: a division that is safe where nothing has been accumulated yet, norms, a variance."""

import math

from ..core import array_namespace


def divide(a, b):
    """a / b, and a where b is 0.

    With eps = 0, a number whose squared gradients are all 0 has no scale to divide by. PyTorch computes
    0 / 0 = NaN there (or a step of infinite length, where only the square was too small to be stored).
    """
    xp = array_namespace(a, b)
    return a / xp.where(b == 0, xp.ones_like(b), b)


def norm(a):
    """The root of the sum of squares of all numbers: 0 for an empty array.

    The largest number is taken out first, so that no square overflows or underflows.
    """
    xp = array_namespace(a)
    if not math.prod(a.shape):
        return xp.sum(a)
    top = xp.max(xp.abs(a))
    shares = a / xp.where((top > 0) & xp.isfinite(top), top, xp.ones_like(top))
    return xp.where(top > 0, top, xp.ones_like(top)) * xp.sqrt(xp.sum(shares * shares))


def variance(v, m):
    """v - m^2, the variance of numbers with the mean square v and the mean m, at least 0 in spite of rounding.

    Where m^2 overflows, v has overflowed too: infinite, as the spread then counts.
    """
    xp = array_namespace(v)
    return xp.where(v == math.inf, v, xp.clip(v - m**2, min=0.0))
