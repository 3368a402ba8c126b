"""Schedules that return a factor for the base rate: `replace(rule, lr=0.1 * step_decay(t, 30))`.

A schedule is a plain function of the step t = 0, 1, 2, ... (PyTorch: `last_epoch`): nothing to store, nothing to
resume. So LambdaLR has no function here: it is the reader's own function of t. The schedules that return a rate
are in cycles.py, warmup.py, plateau.py and averages.py. All of them raise ValueError on a negative or NaN step.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

from ..options import at_least_0, function, functions, numbers, positive, whole


def step_decay(t, step_size, factor=0.1) -> float:
    """One cut by `factor` every step_size steps: factor^floor(t / step_size).

    PyTorch: StepLR(step_size, gamma=factor).
    """
    at_least_0(t=t, factor=factor)
    positive(step_size=step_size)
    return _power(factor, t // step_size)


def _power(factor, n) -> float:
    """factor^n, inf where that is beyond all floats."""
    try:
        return float(factor) ** n
    except OverflowError:
        return math.inf


def multi_step(t, milestones: Sequence[int], factor=0.1) -> float:
    """One cut by `factor` at each milestone: factor^(number of milestones <= t); one named twice cuts twice.

    PyTorch: MultiStepLR(milestones, gamma=factor).
    """
    at_least_0(t=t, factor=factor)
    numbers(milestones=milestones)
    return _power(factor, bisect_right(sorted(milestones), t))


def constant_then(t, factor=1 / 3, total=5) -> float:
    """`factor` before step `total`, 1 from there on. PyTorch: ConstantLR(factor, total_iters=total)."""
    at_least_0(t=t, factor=factor, total=total)
    return factor if t < total else 1.0


def linear(t, start=1 / 3, end=1.0, total=5) -> float:
    """A straight line from start to end: start + (end - start) min(t, total) / total.

    PyTorch: LinearLR(start_factor=start, end_factor=end, total_iters=total), which wants 0 < start <= 1, end <= 1.
    """
    at_least_0(t=t, start=start, end=end)
    positive(total=total)
    return start + (end - start) * min(t, total) / total


def exponential(t, factor) -> float:
    """factor^t. PyTorch: ExponentialLR(gamma=factor)."""
    at_least_0(t=t, factor=factor)
    return _power(factor, t)


def polynomial(t, total=5, power=1.0) -> float:
    """(1 - t / total)^power, and 0 after `total`. PyTorch: PolynomialLR(total_iters=total, power)."""
    at_least_0(t=t, power=power)
    positive(total=total)
    return (1 - min(t, total) / total) ** power


def multiplicative(t: int, factor_at: Callable[[int], float]) -> float:
    """factor_at(1) factor_at(2) ... factor_at(t), the reader's own function; 1 at t = 0.

    PyTorch: MultiplicativeLR(lr_lambda=factor_at).
    """
    whole(t=t)
    function(factor_at=factor_at)
    return math.prod(factor_at(i) for i in range(1, t + 1))


def sequential(t, schedules: Sequence[Callable], milestones: Sequence[int]) -> float:
    """One schedule after the other, each counting its own steps from 0; the next begins at its milestone.

    Raises ValueError unless there is one milestone fewer than schedules and the milestones ascend.
    PyTorch: SequentialLR(schedulers, milestones). It agrees but for MultiplicativeLR, which PyTorch starts from
    the rate it finds instead of from the base rate.
    """
    at_least_0(t=t)
    functions(schedules=schedules)
    numbers(milestones=milestones)
    if len(milestones) != len(schedules) - 1 or sorted(milestones) != list(milestones):
        raise ValueError(f"milestones={milestones} must ascend, one fewer than the {len(schedules)} schedules")
    i = bisect_right(milestones, t)
    return schedules[i](t - (milestones[i - 1] if i else 0))


def chained(t, schedules: Sequence[Callable]) -> float:
    """The product of several factors at step t.

    PyTorch: ChainedScheduler(schedulers), for the schedulers of this file. There LambdaLR, CyclicLR and
    CosineAnnealingWarmRestarts do not multiply: they overwrite what came before them in the list.
    """
    at_least_0(t=t)
    functions(schedules=schedules)
    return math.prod(schedule(t) for schedule in schedules)
