"""The schedule that looks at the results instead of the clock."""

import math
from collections.abc import Sequence

from ...core.options import at_least_0, fraction, numbers, one_of


def plateau(
    metrics: Sequence[float],
    lr,
    factor=0.1,
    patience=10,
    threshold=1e-4,
    threshold_mode="rel",
    mode="min",
    cooldown=0,
    lr_min=0.0,
    eps=1e-8,
) -> float:
    """The rate after all metrics so far: cut by `factor` each time more than `patience` in a row did not improve.

    An improvement beats the best so far by `threshold`, a share of it ("rel") or an amount ("abs"); a NaN is none.
    After a cut, `cooldown` metrics cannot count as bad. The rate stays >= lr_min; a cut of at most eps is left out.
    With "rel" a negative best is hard to use: (1 - threshold) best lies above it, and every equal result improves.
    Raises ValueError on a factor outside [0, 1), a negative option or an unknown mode.
    PyTorch: ReduceLROnPlateau, the same options (min_lr = lr_min).
    """
    fraction(factor=factor)
    at_least_0(lr=lr, patience=patience, threshold=threshold, cooldown=cooldown, lr_min=lr_min, eps=eps)
    one_of(("min", "max"), mode=mode)
    one_of(("rel", "abs"), threshold_mode=threshold_mode)
    numbers(metrics=metrics)
    sign = 1 if mode == "min" else -1
    best, bad, rest = sign * math.inf, 0, 0
    for metric in map(float, metrics):
        asked = best * (1 - sign * threshold) if threshold_mode == "rel" else best - sign * threshold
        better = sign * metric < sign * asked
        best, bad = (metric, 0) if better else (best, bad + 1)
        if rest > 0:
            rest, bad = rest - 1, 0
        if bad > patience:
            lower = max(lr * factor, lr_min)
            lr = lower if lr - lower > eps else lr
            bad, rest = 0, cooldown
    return lr
