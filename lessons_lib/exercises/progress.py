"""What a learner has solved so far, kept on this machine only. Each result is a file of its own without content, in a
folder for its lesson, so that kernels at work at the same time lose nothing, and nothing can be half written."""

from __future__ import annotations

import json
import os
import re
import sys
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import platformdirs

from ..show import Table, link
from .engine import Verdict
from .exercise import Exercise
from .room import LESSONS

TRIED, RIGHT = "not right yet", "right"
MARKS = {TRIED: ".tried", RIGHT: ".right"}


def folder() -> Path | None:
    """Where results are kept: what LESSONS_PROGRESS names; None where it is "off"."""
    chosen = os.environ.get("LESSONS_PROGRESS") or platformdirs.user_data_path("lessons_lib") / "progress"
    return None if chosen == "off" else Path(str(chosen).removesuffix(".json"))


def progress() -> dict[str, str]:
    """{lesson/exercise: state} of everything tried so far; what was right once stays right.

    Earlier editions of the course kept results without the lesson.
    """
    place = folder()
    if place is None:
        return {}
    tried, right = (
        {file.relative_to(place).with_suffix("").as_posix(): state for file in place.rglob(f"*{mark}")}
        for state, mark in MARKS.items()
    )
    return tried | _earlier(Path(f"{place}.json")) | right


def state(exercise: Exercise, known: dict[str, str]) -> str:
    found = {known.get(f"{exercise.lesson}/{exercise.name}"), known.get(exercise.name)}
    return next((state for state in (RIGHT, TRIED) if state in found), "open")


def _earlier(file: Path) -> dict[str, str]:
    """The results in the JSON file that earlier editions of the course wrote; what it holds besides is passed over."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {n: s for n, s in known.items() if s in (TRIED, RIGHT)} if isinstance(known, dict) else {}


def remember(lesson: str, verdict: Verdict) -> None:
    """Note one result. A read-only disk is no reason to stop a lesson."""
    place = folder()
    if place is None or verdict.state not in MARKS:
        return
    try:
        (place / lesson).mkdir(parents=True, exist_ok=True)
        (place / lesson / f"{verdict.name}{MARKS[verdict.state]}").touch()
    except OSError as error:
        print(f"progress is not kept: {error}", file=sys.stderr)


def table(exercises: list[Exercise]) -> Table:
    """Each lesson with the results so far, their total, and the lessons of which a newer edition has come."""
    known, rows = progress(), []
    states = {exercise: state(exercise, known) for exercise in exercises}
    for lesson, mine in groupby(exercises, lambda e: e.lesson):
        named = {e.name: states[e] for e in mine}
        left = [f"{name} ({how})" for name, how in named.items() if how != RIGHT]
        rows.append([_link(f"{lesson}.ipynb"), f"{len(named) - len(left)} of {len(named)}", ", ".join(left)])
    rows.append(["all lessons", f"{[*states.values()].count(RIGHT)} of {len(exercises)}", ""])
    return Table(["lesson", "exercises right", "still to do"], rows, _newer())


def _newer() -> str:
    """`make lab` puts a lesson's new edition beside a copy in which somebody has worked."""
    try:
        found = sorted(file.as_posix() for file in Path().rglob("* (new edition*).ipynb"))
    except OSError:  # the working directory is gone
        found = []
    names = ", ".join(_link(file).markdown for file in found)
    return f"You have worked in these lessons, and a newer edition lies beside your copy: {names}." if found else ""


def _link(notebook: str):
    """A link to a notebook, under its lesson's title where the lesson's source is at hand."""
    lesson = re.sub(r"( \(new edition.*\))?\.ipynb$", "", notebook)
    try:
        header = (LESSONS / lesson / "lesson.py").read_text(encoding="utf-8")
    except OSError:
        header = ""
    title = re.search(r'^# +title: "?(.*?)"?$', header, re.M)
    return link(title[1] if title else lesson, quote(notebook))
