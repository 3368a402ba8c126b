"""What was measured on a GPU, and whether it was measured on the very source that stands here."""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import json
import sys
import tokenize
from functools import cache
from pathlib import Path
from typing import Any

from .. import losses, optim
from ..show import source
from . import cases
from .measure import ALL, MEASURES

HOME = __package__.partition(".")[0]
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
    texts = [*sorted(_texts([concept, MEASURES[type(case)]])), _bare(rows)]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]


def _texts(parts: list) -> set[str]:
    """The code of these functions and classes, and of what their code names in the library, and so on."""
    texts, seen = set(), []
    while parts:
        part = parts.pop()
        if part in seen or not part.__module__.startswith(HOME):
            continue
        seen.append(part)
        texts.add(_bare(source(part)))
        here = vars(sys.modules[part.__module__])
        for node in ast.walk(ast.parse(source(part))):
            if isinstance(node, ast.Name):
                word, found = node.id, here.get(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):  # clip.global_norm
                module = here.get(node.value.id)
                word, found = node.attr, vars(module).get(node.attr) if inspect.ismodule(module) else None
            else:
                continue
            if inspect.isclass(found) or inspect.isfunction(found):
                parts.append(found)
            elif isinstance(found, int | float | str | tuple):
                texts.add(f"{word}={found}")
    return texts


def _without_imports(text: str) -> str:
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    return "\n".join(lines)


def _bare(text: str) -> str:
    """Source without comments, docstrings and white space, the same text on every Python."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "".join("\n".join(lines).split())
