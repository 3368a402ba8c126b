"""What several schedules share: a way from one rate to another, and the check of a length."""

import math

LEFT = {
    "linear": lambda share: 1 - share,
    "cos": lambda share: (1 + math.cos(math.pi * share)) / 2,
    "sqrt": lambda share: 1 - math.sqrt(share),
}


def anneal(start, end, share, shape):
    """From start (share = 0) to end (share = 1); the shape says how much of the way is left in between."""
    if shape not in LEFT:
        raise ValueError(f"shape={shape!r} is unknown; use one of {sorted(LEFT)}")
    return end + (start - end) * LEFT[shape](share)


def positive(**numbers) -> None:
    """Raise ValueError unless every number is finite and > 0."""
    for name, x in numbers.items():
        if not 0 < x < math.inf:
            raise ValueError(f"{name}={x} is not allowed; it must be a finite number > 0")
