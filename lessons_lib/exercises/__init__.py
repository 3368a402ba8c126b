"""The engine behind an exercise cell: open, not right yet (which mistake, on which input), or right.

In a lesson: `check = exercises.of("03_algorithms/04_adam")`, then `check("adam_step")` under each exercise.
In its room: `exercises.py` with a list EXERCISES (see `Exercise`); the solutions stand in `lesson.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from ..show import Table
from .engine import Verdict, check_in, judge
from .exercise import Exercise, on
from .progress import remember, table
from .room import everywhere, load

__all__ = ["Exercise", "Verdict", "everywhere", "judge", "of", "on", "progress_table"]


def of(lesson: str) -> Callable[..., Verdict]:
    """The `check` of one lesson, named by its folder below `lessons`."""
    mine = {exercise.name: exercise for exercise in load(lesson)}

    def check(name: str, record: bool = True) -> Verdict:
        """Judge the function or variable called `name` in the notebook that calls this. It never raises.

        record: whether the result counts as the reader's own; the solved edition says no.
        """
        verdict = check_in(sys._getframe(1).f_globals, mine, name)
        if record:
            remember(lesson, verdict)
        return verdict

    return check


def progress_table() -> Table:
    """Each lesson with your results so far; kept on this machine only."""
    return table(everywhere())
