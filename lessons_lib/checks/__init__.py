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
from .engine import Exercise, Verdict, check_in, judge, progress

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


def check(name: str) -> Verdict:
    """Judge the function or variable called `name` in the notebook that calls this. It never raises."""
    return check_in(sys._getframe(1).f_globals, EXERCISES, name)


def progress_table() -> Table:
    """Each lesson with your results so far; kept in a file on this machine only."""
    known, rows = progress(), []
    for lesson in dict.fromkeys(e.lesson for e in EXERCISES.values()):
        mine = {n: known.get(n, "open") for n, e in EXERCISES.items() if e.lesson == lesson}
        left = [f"{n} ({state})" for n, state in mine.items() if state != "right"]
        rows.append([lesson, f"{len(mine) - len(left)} of {len(mine)}", ", ".join(left)])
    return Table(["lesson", "exercises right", "still to do"], rows)
