"""Schedules that multiply the rate lr by a factor of the step."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

from ...core.options import at_least_0, function, numbers, positive, whole


def step_decay(t, step_size, lr, factor=0.1) -> float:
    """One cut by `factor` every step_size steps: lr factor^floor(t / step_size).

    PyTorch: StepLR(step_size, gamma=factor).
    """
    at_least_0(t=t, lr=lr, factor=factor)
    positive(step_size=step_size)
    return lr * _power(factor, t // step_size)


def _power(factor, n) -> float:
    """factor^n, inf where that is beyond all floats."""
    try:
        return float(factor) ** n
    except OverflowError:
        return math.inf


def multi_step(t, milestones: Sequence[int], lr, factor=0.1) -> float:
    """One cut by `factor` at each milestone: lr factor^(number of milestones <= t); one named twice cuts twice.

    PyTorch: MultiStepLR(milestones, gamma=factor).
    """
    at_least_0(t=t, lr=lr, factor=factor)
    numbers(milestones=milestones)
    return lr * _power(factor, bisect_right(sorted(milestones), t))


def constant_then(t, total, lr, factor=1 / 3) -> float:
    """lr `factor` before step `total`, lr from there on. PyTorch: ConstantLR(factor, total_iters=total)."""
    at_least_0(t=t, total=total, lr=lr, factor=factor)
    return lr * factor if t < total else lr


def linear(t, total, lr, start=1 / 3, end=1.0) -> float:
    """A straight line from lr start to lr end: lr (start + (end - start) min(t, total) / total).

    PyTorch: LinearLR(start_factor=start, end_factor=end, total_iters=total), which wants 0 < start <= 1, end <= 1.
    """
    at_least_0(t=t, lr=lr, start=start, end=end)
    positive(total=total)
    return lr * (start + (end - start) * min(t, total) / total)


def exponential(t, lr, factor) -> float:
    """lr factor^t. PyTorch: ExponentialLR(gamma=factor)."""
    at_least_0(t=t, lr=lr, factor=factor)
    return lr * _power(factor, t)


def polynomial(t, total, lr, power=1.0) -> float:
    """lr (1 - t / total)^power, and 0 after `total`. PyTorch: PolynomialLR(total_iters=total, power)."""
    at_least_0(t=t, lr=lr, power=power)
    positive(total=total)
    return lr * (1 - min(t, total) / total) ** power


def multiplicative(t: int, lr, factor_at: Callable[[int], float]) -> float:
    """lr factor_at(1) factor_at(2) ... factor_at(t), the reader's own function; lr at t = 0.

    PyTorch: MultiplicativeLR(lr_lambda=factor_at).
    """
    whole(t=t)
    at_least_0(lr=lr)
    function(factor_at=factor_at)
    return lr * math.prod(factor_at(i) for i in range(1, t + 1))
