"""What several schedules share: a way from one rate to another."""

import math

from ...core.options import one_of

LEFT = {
    "linear": lambda share: 1 - share,
    "cos": lambda share: (1 + math.cos(math.pi * share)) / 2,
    "sqrt": lambda share: 1 - math.sqrt(share),
}


def anneal(start, end, share, shape):
    """From start (share = 0) to end (share = 1); the shape says how much of the way is left in between."""
    one_of(LEFT, shape=shape)
    return end + (start - end) * LEFT[shape](share)
