"""What was measured on a GPU, and whether it was measured on the very source that stands here."""

from __future__ import annotations

import ast
import inspect
import json
from functools import cache
from pathlib import Path
from typing import Any

from .. import losses, optim
from ..provenance import bare, code, digest
from . import cases
from .measure import ALL, MEASURES

RECORDS = Path(__file__).parents[2] / "results" / "gpu"


def newest_record() -> dict[str, Any] | None:
    """The latest GPU record under results/gpu/, or None."""
    found = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(RECORDS.glob("*.json"))]
    return max(found, key=lambda r: r["date"], default=None)


def provenance(record: dict[str, Any] | None, name: str) -> str:
    if record is None:
        return "GPU record: none yet. `make gpu-record` on a machine with CUDA makes one."
    fresh = any(r["name"] == name and r["source"] == source_hash(name) for r in record["rows"])
    state = "of this very source" if fresh else "STALE: the source has changed since, so it is not shown"
    return f"GPU record: {record['device']}, torch {record['torch']}, CUDA {record['cuda']}, {record['date']}, {state}."


@cache
def source_hash(name: str) -> str:
    """A hash of the code that decides this name's results: its own, that of every function and constant of the library
    that stands in it, theirs in turn, and its family's cases. Where a file lies, comments, docstrings and white space
    do not count."""
    case = next(c for c in ALL if c.name == name)
    concept = getattr(case, "concept", None) or getattr(losses, name, None) or getattr(optim, name)
    family = next(f for f in cases.FAMILIES if name in {c.name for c in f.CASES})
    rows = _without_imports(inspect.getsource(family))
    return digest([*sorted(code([concept, MEASURES[type(case)]])), bare(rows)])


def _without_imports(text: str) -> str:
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    return "\n".join(lines)
