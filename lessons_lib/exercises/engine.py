"""Judge an exercise by what it computes at exaggerated settings, and say what is wrong with it."""

from __future__ import annotations

import ast
import html
import re
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from . import diagnosis
from .attempt import Attempt, Refused, Unanswered, plain, within
from .difference import difference
from .exercise import Exercise

LIMIT = 10.0  # seconds: it stops what hangs, and is far above what a slow answer needs


@dataclass(frozen=True)
class Verdict:
    """state: "open", "not right yet" or "right"; it is printed as the cell's result."""

    state: str
    name: str
    message: str = ""

    def __repr__(self) -> str:
        return f"{self.name}: {self.state}" + (f". {self.message}" if self.message else "")

    def _repr_html_(self) -> str:
        sign, colour = {"right": ("✔", "#1a7f37"), "open": ("○", "#57606a")}.get(self.state, ("✘", "#bc4c00"))
        badge = f'<b style="background:{colour};color:#fff;padding:0 .4em">{sign}</b>'
        return f'<div style="border-left:.3em solid {colour};padding-left:.5em">{badge} {html.escape(repr(self))}</div>'


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Compare an answer's trial with the solution's. Never raises, whatever the answer does."""
    try:
        return Verdict(*_judged(exercise, answer))
    except Exception as error:  # an answer can break what the check itself needs, such as NumPy
        return Verdict("not right yet", exercise.name, f"The check failed; restart the kernel. {_told(error)}")


def _judged(exercise: Exercise, answer: Any) -> tuple[str, str, str]:
    opened = "open", exercise.name, f"First hint: {exercise.hint}"
    if answer is None or answer is ...:
        return opened
    wanted = _known(exercise, "")  # before the answer can change anything
    attempt = Attempt(answer, exercise.returns)
    try:
        if callable(answer) != callable(exercise.solution):
            raise Refused(f"A {'function' if callable(exercise.solution) else 'number'} is wanted.")
        got = within(LIMIT, lambda: _tried(exercise.trial, attempt if callable(answer) else plain(answer)))
    except Unanswered:
        return opened
    except KeyboardInterrupt:
        raise
    except Refused as error:
        problem = f"{error}{_call(exercise, attempt)}"
    except BaseException as error:  # sys.exit among them
        problem = f"Your code raised {_told(error).rstrip('.')}{_line(error, answer)}.{_call(exercise, attempt)}"
    else:
        problem = difference(got, wanted, attempt.single)
        if not problem:
            return "right", exercise.name, ""
        if known := _recognised(exercise, got, attempt.single):
            return "not right yet", exercise.name, known
        problem = _diagnosed(exercise, attempt, got) or problem
    if attempt.split:
        problem = f"{exercise.returns} results are wanted, with a comma between them; one array came."
    return "not right yet", exercise.name, f"{problem} Hint: {exercise.hint}"


def _tried(trial: Callable[[Any], Any], answer: Any) -> Any:
    with np.errstate(all="ignore"):
        return trial(answer)


@cache
def _known(exercise: Exercise, mistake: str) -> Any:
    """The trial of a mistake, or of the solution where none is named."""
    return _tried(exercise.trial, exercise.wrong(mistake) if mistake else exercise.solution)


def _recognised(exercise: Exercise, got: Any, single: bool) -> str:
    for mistake in exercise.mistakes:
        try:
            if not difference(got, _known(exercise, mistake), single):
                return mistake
        except Exception:  # a mistake that does not fit its solution is a test's business, not the learner's
            continue
    return ""


def _diagnosed(exercise: Exercise, attempt: Attempt, got: Any) -> str:
    """Why the answer is wrong, and on which input; empty where that cannot be told."""
    if not callable(exercise.solution):
        return diagnosis.of_value(got, exercise.solution)
    compare = lambda: diagnosis.of_calls(attempt.calls, exercise.solution, exercise.returns, attempt.single)  # noqa: E731
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return within(LIMIT, compare)
    except Exception:  # the solution may not take what the answer was given
        return ""


def _call(exercise: Exercise, attempt: Attempt) -> str:
    """The call from which no result came, if there is one."""
    try:
        [*_, last] = attempt.calls
        return "" if last.result is not None else f" It was called as {diagnosis.shown(last, exercise.solution)}."
    except Exception:  # there was no call, or one with other arguments than the solution has
        return ""


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()  # also where its own __str__ raises


def _line(error: BaseException, answer: Any) -> str:
    """The answer's line that an error came from, if it has one."""
    its_file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    lines = [frame.line for frame in traceback.extract_tb(error.__traceback__) if frame.filename == its_file]
    return f" (your line: {lines[-1]})" if lines and lines[-1] else ""


def _outdated(namespace: dict[str, Any], name: str) -> str:
    """The error of the cell that was to define `name`, if it has one: then an earlier answer still stands."""
    defines = re.compile(rf"^\s*(def\s+{name}\b|{name}\s*=)", re.MULTILINE).search
    try:
        ast.parse(next((cell for cell in reversed(namespace.get("In", ())) if defines(cell)), ""))
        shell = namespace.get("get_ipython", lambda: None)()
        last = getattr(shell, "last_execution_result", None)
        if last is not None and not last.success and defines(str(last.info.raw_cell)):
            return _told(last.error_before_exec or last.error_in_exec)
    except SyntaxError as error:
        return f"SyntaxError: {error.msg} (line {error.lineno})"
    except Exception:  # In and get_ipython may be something else: the names are the learner's
        pass
    return ""


def check_in(namespace: dict[str, Any], exercises: dict[str, Exercise], name: str) -> Verdict:
    """Judge the answer called `name` in a notebook's namespace."""
    if name not in exercises:
        return Verdict("open", name, f"There is no exercise of this name; known: {', '.join(sorted(exercises))}")
    exercise = exercises[name]
    if error := _outdated(namespace, name):
        message = f"The cell of `{name}` has an error, so no new `{name}` is there. Mend it and run it first: {error}"
        return Verdict("not right yet", name, message)
    if name not in namespace:
        message = (
            f"No `{name}` is defined. Run its cell; if it is gone, copy it from notebooks/{exercise.lesson}.ipynb."
        )
        return Verdict("open", name, message)
    return judge(exercise, namespace[name])
