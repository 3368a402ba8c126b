"""exp, log and their kin in forms that neither overflow nor cancel. Every loss on logits builds on these."""

from ..core import array_namespace, device


def sigmoid(z):
    """1 / (1 + exp(-z)), with exp only of numbers <= 0, so that nothing overflows."""
    xp = array_namespace(z)
    e = xp.exp(-xp.abs(z))
    return xp.where(z >= 0, xp.ones_like(e), e) / (1 + e)


def softplus(z):
    """log(1 + exp(z)) = -log(sigmoid(-z))."""
    xp = array_namespace(z)
    return xp.maximum(z, xp.zeros_like(z)) + xp.log1p(xp.exp(-xp.abs(z)))


def log_softmax(z):
    """z - log(sum(exp(z))) over the last axis; the largest logit is taken off first, its 1 left out of the sum."""
    xp = array_namespace(z)
    shifted = z - xp.max(z, axis=-1, keepdims=True)
    return shifted - xp.log1p(all_but_largest(xp.exp(shifted))[1])


def all_but_largest(a):
    """Where the largest number of the last axis is, and the sum of all others there."""
    xp = array_namespace(a)
    largest = xp.arange(a.shape[-1], device=device(a)) == xp.argmax(a, axis=-1, keepdims=True)
    return largest, xp.sum(xp.where(largest, xp.zeros_like(a), a), axis=-1, keepdims=True)


def at_least_1(a):
    """The largest number of the last axis, or 1: a unit in which no weight is large, 1 for probabilities."""
    xp = array_namespace(a)
    return xp.clip(xp.max(a, axis=-1, keepdims=True), 1, None)


def positive_part(x):
    """max(x, 0) and its slope, 1 above 0 and 0 elsewhere: at the kink, where a margin is just met, 0 as well."""
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x)), xp.astype(x > 0, x.dtype)


def product(w, x):
    """w x, and 0 where w is 0, also for an infinite x: what has no weight costs nothing."""
    xp = array_namespace(w, x)
    return w * xp.where(w == 0, xp.zeros_like(x), x)


def ratio(a, b, c):
    """(a - b) / c, also where a - b alone is too large for the dtype."""
    xp = array_namespace(a, b)
    r = a - b
    return xp.where(xp.abs(r) < xp.inf, r / c, a / c - b / c)


def times_difference(w, a, b):
    """w (a - b), also where a - b alone is too large for the dtype."""
    xp = array_namespace(a, b)
    r = a - b
    return xp.where(xp.abs(r) < xp.inf, product(w, r), product(w, a) - product(w, b))


def shortfall(margin, a, b, n):
    """By how much a fails to lead b by the margin, over n, also where a - b is too large for the dtype; and its slope.

    The slope is 1 / n where a fails and 0 elsewhere.
    """
    xp = array_namespace(a, b)
    h, step = positive_part(margin - (a - b))
    return xp.where(h < xp.inf, h / n, b / n - a / n), step / n


def one_per_value(pred, *options):
    """Each option, a number or an array with axes of length 1, as one number per value."""
    return [array_namespace(pred).zeros_like(pred) + a for a in options]
