"""What a learner has solved so far, kept on this machine only. Each result is a file of its own without content, so
that kernels at work at the same time lose nothing, and nothing can be half written."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import quote

import platformdirs

from ..show import Table, link
from .engine import Exercise, Verdict

TRIED, RIGHT = "not right yet", "right"
MARKS = {TRIED: ".tried", RIGHT: ".right"}
LESSONS = Path(__file__).resolve().parents[2] / "lessons"


def folder() -> Path | None:
    """Where results are kept: what LESSONS_PROGRESS names; None where it is "off"."""
    chosen = os.environ.get("LESSONS_PROGRESS") or platformdirs.user_data_path("lessons_lib") / "progress"
    return None if chosen == "off" else Path(str(chosen).removesuffix(".json"))


def progress() -> dict[str, str]:
    """{exercise: state} of everything tried so far; what was right once stays right."""
    place = folder()
    if place is None:
        return {}
    tried, right = ({file.stem: state for file in place.glob(f"*{mark}")} for state, mark in MARKS.items())
    return tried | _earlier(Path(f"{place}.json")) | right


def _earlier(file: Path) -> dict[str, str]:
    """The results in the JSON file that earlier editions of the course wrote; what it holds besides is passed over."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {n: s for n, s in known.items() if s in (TRIED, RIGHT)} if isinstance(known, dict) else {}


def remember(verdict: Verdict) -> None:
    """Note one result. A read-only disk is no reason to stop a lesson."""
    place = folder()
    if place is None or verdict.state not in MARKS:
        return
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{verdict.name}{MARKS[verdict.state]}").touch()
    except OSError as error:
        print(f"progress is not kept: {error}", file=sys.stderr)


def table(exercises: dict[str, Exercise]) -> Table:
    """Each lesson with the results so far, their total, and the lessons of which a newer edition has come."""
    known, rows = progress(), []
    for lesson in dict.fromkeys(e.lesson for e in exercises.values()):
        mine = {n: known.get(n, "open") for n, e in exercises.items() if e.lesson == lesson}
        left = [f"{n} ({state})" for n, state in mine.items() if state != RIGHT]
        rows.append([_link(f"{lesson}.ipynb"), f"{len(mine) - len(left)} of {len(mine)}", ", ".join(left)])
    right = sum(known.get(name) == RIGHT for name in exercises)
    rows.append(["all lessons", f"{right} of {len(exercises)}", ""])
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
