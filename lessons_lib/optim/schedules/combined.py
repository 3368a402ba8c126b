"""Several schedules as one: one after the other, or one on top of the other."""

from bisect import bisect_right
from collections.abc import Callable, Sequence

from ...core.options import at_least_0, functions, numbers


def sequential(t, schedules: Sequence[Callable], milestones: Sequence[int]) -> float:
    """One schedule after the other, each counting its own steps from 0; the next begins at its milestone.

    schedules: functions of t. Raises ValueError unless there is one milestone fewer and the milestones ascend.
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


def chained(t, lr, schedules: Sequence[Callable]) -> float:
    """One schedule on top of the other: each starts from the rate that the one before it gives at step t.

    schedules: functions of t and lr. PyTorch: ChainedScheduler(schedulers), for the schedulers of decay.py. There
    LambdaLR, CyclicLR and CosineAnnealingWarmRestarts do not multiply: they overwrite what came before them.
    """
    at_least_0(t=t, lr=lr)
    functions(schedules=schedules)
    for schedule in schedules:
        lr = schedule(t, lr)
    return lr
