"""What an exercise cell calls. `check("name")` says open, not right yet or right, and names the mistake."""

from __future__ import annotations

import sys

from ..show import Table
from . import (
    adam,
    adam_family,
    adamw,
    adaptive,
    advantages,
    binary_cross_entropy,
    clipping,
    cross_entropy,
    divergences,
    fields,
    margins,
    momentum,
    probabilistic,
    regression,
    robust,
    schedules,
    second_order,
    sgd,
    soft_targets,
    start,
)
from .engine import Exercise, Verdict, check_in, judge
from .progress import remember, table

__all__ = ["EXERCISES", "Exercise", "Verdict", "check", "judge", "progress_table"]

LESSONS = (
    start,
    binary_cross_entropy,
    cross_entropy,
    sgd,
    adam,
    regression,
    robust,
    probabilistic,
    margins,
    divergences,
    soft_targets,
    momentum,
    adaptive,
    adamw,
    adam_family,
    second_order,
    schedules,
    clipping,
    advantages,
    fields,
)
EXERCISES: dict[str, Exercise] = {e.name: e for lesson in LESSONS for e in lesson.EXERCISES}


def check(name: str, record: bool = True) -> Verdict:
    """Judge the function or variable called `name` in the notebook that calls this. It never raises.

    record: whether the result counts as the reader's own; the solved edition says no.
    """
    verdict = check_in(sys._getframe(1).f_globals, EXERCISES, name)
    if record:
        remember(verdict)
    return verdict


def progress_table() -> Table:
    """Each lesson with your results so far; kept on this machine only."""
    return table(EXERCISES)
