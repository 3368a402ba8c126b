"""The division that several rules share, safe where nothing has been accumulated yet."""

from ..core import array_namespace


def divide(a, b):
    """a / b, and a where b is 0.

    With eps = 0, a number whose squared gradients are all 0 has no scale to divide by. PyTorch computes
    0 / 0 = NaN there (or a step of infinite length, where only the square was too small to be stored).
    """
    xp = array_namespace(a, b)
    return a / xp.where(b == 0, xp.ones_like(b), b)


def norm(a):
    """The root of the sum of squares of all numbers: 0 for an empty array."""
    xp = array_namespace(a)
    return xp.sqrt(xp.sum(a * a))
