"""The exercises of a lesson, from the two files in its room: `exercises.py`, and `lesson.py` with the solutions."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from .exercise import Exercise

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
MARKER = re.compile(r"^\s*### (BEGIN|END) SOLUTION\n", re.M)


def everywhere() -> list[Exercise]:
    """The exercises of all lessons, in their order."""
    return [exercise for lesson in _lessons() for exercise in load(lesson)]


def _lessons() -> list[str]:
    return sorted(file.parent.relative_to(LESSONS).as_posix() for file in LESSONS.rglob("exercises.py"))


def load(lesson: str) -> list[Exercise]:
    """The exercises of one lesson, each with its solution."""
    if lesson not in _lessons():
        raise ValueError(f"lesson is {lesson!r}; lessons with exercises are {', '.join(_lessons())}")
    file = LESSONS / lesson / "exercises.py"
    names: dict[str, Any] = {"__name__": lesson, "__file__": str(file)}
    exec(compile(file.read_text(encoding="utf-8"), file, "exec"), names)
    solved = solutions((file.parent / "lesson.py").read_text(encoding="utf-8"))
    exercises: list[Exercise] = names["EXERCISES"]
    for exercise in exercises:
        if exercise.name not in solved:
            raise ValueError(f"{lesson}: lesson.py has no solution of the exercise {exercise.name!r}")
    return [replace(e, lesson=lesson, source=solved[e.name], names=names) for e in exercises]


def solutions(lesson: str) -> dict[str, str]:
    """{name: source} of what a lesson's cells with a solution define."""
    found = {}
    for cell in re.split(r"^# %%.*\n", lesson, flags=re.M):
        code = MARKER.sub("", cell)
        for node in ast.parse(code).body if code != cell else ():
            name = node.targets[0] if isinstance(node, ast.Assign) else node
            found[getattr(name, "name", getattr(name, "id", ""))] = ast.get_source_segment(code, node) or ""
    return found
