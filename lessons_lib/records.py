"""Recorded runs: experiments that take longer than a lesson may, with what made them. `make record` writes them.

The record.py in a lesson's room holds `SEEDS` and `run(seed)`, which returns {name: numbers}; the lesson reads
`record = records.of("04_mathematics/05_how_far_may_a_step_go")`, takes `record.runs[seed][name]`, and shows `record`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .provenance import bare, code, digest, named
from .show import _Markdown

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "results" / "runs"
BASE = Path(__file__).parent / "models" / "base.safetensors"


class Record(_Markdown):
    """runs: {seed: what `run(seed)` returned}. Shown, it says what made it, and whether it is stale."""

    def __init__(self, stored: dict[str, Any], fresh: bool):
        self.runs = {int(seed): run for seed, run in stored["runs"].items()}
        self.fresh = fresh
        state = "by the code that stands here" if fresh else "STALE: the code has changed since; run the command again"
        with_what = f"torch {stored['torch']}, NumPy {stored['numpy']}, Python {stored['python']}"
        text = f"Recorded {stored['date']}, {len(self.runs)} seeds, {with_what}, by `{stored['command']}`; {state}."
        super().__init__(text, text)


def of(lesson: str) -> Record:
    """The record of a lesson, named by its folder below `lessons`. Raises ValueError where there is none."""
    path = FOLDER / f"{lesson}.json"
    if not path.exists():
        there = sorted(p.relative_to(FOLDER).with_suffix("").as_posix() for p in FOLDER.rglob("*.json"))
        raise ValueError(f"lesson is {lesson!r}; records are there of {', '.join(there) or 'none'}")
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Record(stored, stored["source"] == source_hash(load(lesson)))


def load(lesson: str) -> dict[str, Any]:
    """What a lesson's record.py defines, and its text as `__text__`."""
    file = ROOT / "lessons" / lesson / "record.py"
    text = file.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": lesson, "__file__": str(file), "__text__": text}
    exec(compile(text, file, "exec"), names)
    return names


def source_hash(names: dict[str, Any]) -> str:
    """A hash of what decides a record: its own code, that of the library as far as it is used, and the model that comes
    with the course where the record starts from it."""
    parts, constants = named(names["__text__"], names)
    base = [hashlib.sha256(BASE.read_bytes()).hexdigest()] if "pretrained" in names["__text__"] else []
    return digest([bare(names["__text__"]), *sorted(code(parts) | constants), *base])
