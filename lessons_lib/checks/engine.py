"""Judge an exercise by what it computes at exaggerated settings, and name the mistake where it is a known one."""

from __future__ import annotations

import ast
import html
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from numbers import Real
from typing import Any

import numpy as np

from .attempt import Attempt, Refused, Unanswered, plain, within

LIMIT = 10.0  # seconds: it stops what hangs, and is far above what a slow answer needs


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    name:     what the learner defines: a function, or a variable
    lesson:   the lesson's file, without its ending
    hint:     what to try first
    solution: the right answer
    mistakes: {what is wrong: an answer that makes exactly this mistake}
    trial:    what is computed from an answer: (lists of) arrays. A plain value is compared as it is.
    returns:  how many results one call must give
    """

    name: str
    lesson: str
    hint: str
    solution: Any
    mistakes: dict[str, Any]
    trial: Callable[[Any], Any] = lambda answer: answer
    returns: int = 1


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


def on(*trials: tuple) -> Callable[[Any], Any]:
    """A trial that calls the answer with the arguments of each of these."""
    return lambda answer: [answer(*trial) for trial in trials]


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
    wanted = _known(exercise.trial, exercise.solution)  # before the answer can change anything
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
        problem = str(error)
    except BaseException as error:  # sys.exit among them
        problem = f"Your code raised {_told(error)}{_line(error, answer)}"
    else:
        problem = _difference(got, wanted, attempt.single)
        if not problem:
            return "right", exercise.name, ""
        if known := _recognised(exercise, got, attempt.single):
            return "not right yet", exercise.name, known
    if attempt.split:
        problem = f"{exercise.returns} results are wanted, with a comma between them; one array came."
    return "not right yet", exercise.name, f"{problem} Hint: {exercise.hint}"


def _tried(trial: Callable[[Any], Any], answer: Any) -> Any:
    with np.errstate(all="ignore"):
        return trial(answer)


_known = cache(_tried)  # for our own answers


def _recognised(exercise: Exercise, got: Any, single: bool) -> str:
    told = (t for t, wrong in exercise.mistakes.items() if not _difference(got, _known(exercise.trial, wrong), single))
    return next(told, "")


def _difference(got: Any, wanted: Any, single: bool = False) -> str:
    """What first differs, in words; empty where everything agrees."""
    if isinstance(wanted, list | tuple):
        got = list(got) if isinstance(got, np.ndarray) and got.ndim else got
        if not isinstance(got, list | tuple) or len(got) != len(wanted):
            return f"{len(wanted)} results are wanted, {len(got) if isinstance(got, list | tuple) else 1} came."
        return next((told for g, w in zip(got, wanted, strict=True) if (told := _difference(g, w, single))), "")
    try:
        a, b = np.asarray(got), np.asarray(wanted, dtype=float)
        if a.dtype.kind not in "biuf" and not all(isinstance(x, Real) for x in a.flat):
            raise TypeError
        a = a.astype(float)
    except Exception:  # whatever a learner hands over: a string, a ragged list, a function
        return f"A number or an array is wanted, {type(got).__name__} came."
    if a.shape != b.shape:
        return f"The shape {b.shape} is wanted, {a.shape} came."
    if np.any(np.isnan(a) & ~np.isnan(b)):
        return "There is a NaN in the result."
    with np.errstate(all="ignore"):
        single |= bool(np.any(a % 1)) and np.array_equal(a, a.astype(np.float32), equal_nan=True)
        rtol, atol = (1e-4, 1e-6) if single else (1e-6, 1e-9)  # float32 is what torch.tensor makes of a list
        near = np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
    return "" if near else "The numbers are not the right ones."


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
