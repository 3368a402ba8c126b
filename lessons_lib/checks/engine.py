"""Judge an exercise by what it computes at exaggerated settings, and name the mistake where it is a known one."""

from __future__ import annotations

import copy
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs


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


def on(*trials: tuple) -> Callable[[Any], Any]:
    """A trial that calls the answer with the arguments of each of these, copied: it may change what it is given."""
    return lambda answer: [answer(*copy.deepcopy(trial)) for trial in trials]


class _Open(Exception):
    """The answer returned nothing: the stub still stands."""


class _Miscounted(Exception):
    """The answer returned more or fewer results than are asked for, or none for some inputs."""


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Compare an answer's trial with the solution's. Never raises, whatever the answer does."""
    try:
        with np.errstate(all="ignore"):
            got = exercise.trial(_watched(answer, exercise.returns))
    except _Open:
        return Verdict("open", exercise.name, f"First hint: {exercise.hint}")
    except _Miscounted as error:
        return Verdict("not right yet", exercise.name, f"{error} Hint: {exercise.hint}")
    except (Exception, SystemExit) as error:
        return Verdict("not right yet", exercise.name, f"Your code raised {_where(error)}")
    return Verdict(*_compared(exercise, got))


def _compared(exercise: Exercise, got: Any) -> tuple[str, str, str]:
    problem = _difference(got, exercise.trial(exercise.solution))
    if not problem:
        return "right", exercise.name, ""
    with np.errstate(all="ignore"):
        known = [text for text, wrong in exercise.mistakes.items() if not _difference(got, exercise.trial(wrong))]
    return "not right yet", exercise.name, known[0] if known else f"{problem} Hint: {exercise.hint}"


def _watched(answer: Any, returns: int) -> Any:
    if answer is None or answer is ...:
        raise _Open
    if not callable(answer):
        return answer

    answered = False

    def call(*args, **kwargs):
        nonlocal answered
        result = answer(*args, **kwargs)
        if result is None or result is ...:
            raise _Miscounted("For some inputs your function returns nothing.") if answered else _Open
        answered = True
        came = len(result) if getattr(result, "shape", True) and hasattr(result, "__len__") else 1
        if returns > 1 and came != returns:
            what = "one array" if getattr(result, "shape", ()) else came
            raise _Miscounted(f"{returns} results are wanted, {what} came.")
        return tuple(result) if returns > 1 else result

    return call


def _difference(got: Any, wanted: Any) -> str:
    """What first differs, in words; empty where everything agrees."""
    if isinstance(wanted, list | tuple):
        if not isinstance(got, list | tuple) or len(got) != len(wanted):
            return f"{len(wanted)} results are wanted, {len(got) if isinstance(got, list | tuple) else 1} came."
        return next(filter(None, map(_difference, got, wanted)), "")
    try:
        got = got.detach().cpu() if hasattr(got, "detach") else got
        if np.asarray(got).dtype.kind in "USO":
            raise TypeError
        single = np.asarray(got).dtype == np.float32
        a, b = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    except Exception:  # whatever a learner hands over: a string, a ragged list, a tensor that wants a gradient
        return f"A number or an array is wanted, {type(got).__name__} came."
    if a.shape != b.shape:
        return f"The shape {b.shape} is wanted, {a.shape} came."
    if np.isnan(a).any() and not np.isnan(b).any():
        return "There is a NaN in the result."
    rtol, atol = (1e-4, 1e-6) if single else (1e-6, 1e-9)  # float32 is what torch.tensor makes of a list
    with np.errstate(all="ignore"):
        near = np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
    return "" if near else "The numbers are not the right ones."


def _where(error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    line = f" (your line: {frames[-1].line})" if frames and frames[-1].line else ""
    return f"{type(error).__name__}: {error}{line}"


def check_in(namespace: dict[str, Any], exercises: dict[str, Exercise], name: str) -> Verdict:
    """Judge the answer called `name` in a notebook's namespace, and note the result in the progress file."""
    if name not in exercises:
        return Verdict("open", name, f"There is no exercise of this name; known: {', '.join(sorted(exercises))}")
    exercise = exercises[name]
    if name not in namespace:
        message = (
            f"No `{name}` is defined. Run its cell; if it is gone, copy it from notebooks/{exercise.lesson}.ipynb."
        )
        return Verdict("open", name, message)
    verdict = judge(exercise, namespace[name])
    remember(verdict)
    return verdict


def progress_file() -> Path | None:
    """Where results are kept, on this machine only; None where the variable LESSONS_PROGRESS is "off"."""
    chosen = os.environ.get("LESSONS_PROGRESS", "")
    if chosen == "off":
        return None
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("lessons_lib")) / "progress.json"


def progress() -> dict[str, str]:
    """{exercise: state} of everything tried so far. An unreadable file counts as empty and is kept aside."""
    file = progress_file()
    if file is None or not file.exists():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except ValueError:
        file.replace(file.with_suffix(".unreadable"))
        print(f"{file.name} could not be read; it is kept as {file.with_suffix('.unreadable').name}", file=sys.stderr)
        return {}


def remember(verdict: Verdict) -> None:
    """Write one result; what is right stays right. A read-only disk is no reason to stop a lesson."""
    file = progress_file()
    known = progress()
    solved_edition = "solutions" in Path.cwd().parts
    if file is None or solved_edition or verdict.state == "open" or known.get(verdict.name) == "right":
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({**known, verdict.name: verdict.state}, indent=1), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        print(f"progress is not kept: {error}", file=sys.stderr)
