"""Ours against PyTorch: one row per option and dtype, each with what is allowed. Lessons show it, tests assert it."""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import json
import sys
import tokenize
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import cases, core, losses, optim
from .show import Table, source

RECORDS = Path(__file__).parent.parent / "results" / "gpu"
DTYPES = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
STEPS = 50
ALL: list[cases.LossCase | cases.RuleCase | cases.HelperCase] = [*cases.LOSSES, *cases.RULES, *cases.HELPERS]


@dataclass(frozen=True)
class Row:
    """The largest differences from PyTorch, relative to the largest number compared."""

    name: str
    option: str
    dtype: str
    value_error: float
    grad_error: float | None  # None for an optimizer: the trajectory's end is its value
    allowed: float

    @property
    def ok(self) -> bool:
        errors = [self.value_error] if self.grad_error is None else [self.value_error, self.grad_error]
        return all(e <= self.allowed for e in errors)  # False for NaN


def rows(name: str = "", device: torch.device | str = "cpu") -> list[Row]:
    """Measure every case of this name (all names where it is empty), in every dtype."""
    chosen = [c for c in ALL if name in ("", c.name)]
    if not chosen:
        raise ValueError(f"name={name!r} has no case; known: {sorted(names())}")
    return [_row(case, dtype, torch.device(device)) for case in chosen for dtype in getattr(case, "dtypes", DTYPES)]


def _row(case, dtype: str, device: torch.device) -> Row:
    measure = MEASURES[type(case)]
    return Row(case.name, case.option, dtype, *measure(case, DTYPES[dtype], device))


def _loss_errors(case: cases.LossCase, dtype: torch.dtype, device: torch.device):
    rng = np.random.default_rng(0)
    inputs = [_tensor(a, dtype, device) for a in case.draw(rng)]
    ours = case.ours(*inputs)
    # In half precision the judge is PyTorch in float32 on the same numbers: we promise a single rounding.
    leaves, others = inputs[: case.inputs], inputs[case.inputs :]
    leaves = [_judged(a).requires_grad_() for a in leaves]
    theirs = case.torch(*leaves, *map(_judged, others))
    up = _tensor(rng.normal(size=tuple(theirs.shape)), theirs.dtype, device)
    theirs.backward(up)
    grads = ours.grad if case.inputs > 1 else (ours.grad,)
    assert ours.value.dtype == dtype and all(g.dtype == dtype and g.device.type == device.type for g in grads)
    wrong = [
        _error(g.to(up.dtype) * up.reshape(up.shape + (1,) * (g.ndim - up.ndim)), leaf.grad)
        for g, leaf in zip(grads, leaves, strict=True)
    ]
    allowed = torch.finfo(dtype).eps * (1 if core.is_half(inputs[0]) else case.allowed)
    return _error(ours.value, theirs), max(wrong, key=lambda e: (e != e, e)), allowed  # a NaN is the largest


def _rule_errors(case: cases.RuleCase, dtype: torch.dtype, device: torch.device):
    rng = np.random.default_rng(0)
    scales = 10.0 ** np.linspace(-3, 1, 5)  # one column per size of gradient: eps matters in the first
    theta = _tensor(rng.normal(size=(7, 5)), dtype, device)
    theirs = _judged(theta).requires_grad_()
    optimizer, state = case.torch([theirs]), case.ours.init(theta)
    for _ in range(STEPS):
        g = _tensor(scales * rng.normal(size=(7, 5)), dtype, device)
        theta, state = case.ours.update(theta, case.sign * g, state)
        theirs.grad = case.gradient(_judged(g))
        optimizer.step()
    assert theta.dtype == dtype and theta.device.type == device.type
    return _error(theta, theirs), None, (16 if core.is_half(theta) else case.allowed) * torch.finfo(dtype).eps


def _helper_errors(case: cases.HelperCase, dtype: torch.dtype, device: torch.device):
    ours, theirs = case.ours(dtype, device), case.torch(dtype, device)
    return (
        _error(ours, theirs),
        None,
        (case.half_allowed if core.is_half(ours) else case.allowed) * torch.finfo(dtype).eps,
    )


MEASURES: dict = {cases.LossCase: _loss_errors, cases.RuleCase: _rule_errors, cases.HelperCase: _helper_errors}


def _tensor(a, dtype, device) -> torch.Tensor:
    a = torch.as_tensor(a)
    return a.to(device, dtype if a.is_floating_point() else a.dtype)


def _judged(a: torch.Tensor) -> torch.Tensor:
    return a.detach().to(torch.float32, copy=True) if core.is_half(a) else a.detach().clone()


def _error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    ours, theirs = ours.detach().double().cpu(), theirs.detach().double().cpu()
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-30))


def table(name: str, device: torch.device | str = "cpu") -> Table:
    """The rows of one loss, rule or helper on this device, the recorded GPU rows under them. Raises if one disagrees.

    Each cell: the largest value error, then the largest gradient error, relative to the largest number.
    """
    live, record = rows(name, device), newest_record()
    wrong = [r for r in live if not r.ok]
    if wrong:
        raise AssertionError(f"disagrees with PyTorch: {wrong}")
    measured = {("live, " + torch.device(device).type, r.option, r.dtype): (r.value_error, r.grad_error) for r in live}
    for r in record["rows"] if record else []:
        if r["name"] == name and r["source"] == source_hash(name):
            measured["GPU record", r["option"], r["dtype"]] = (r["value_error"], r["grad_error"])
    lines = sorted({key[:2] for key in measured}, key=[k[:2] for k in measured].index)
    lines.sort(key=lambda key: [r.option for r in live].index(key[1]))  # stable: live first, then the record
    dtypes = [d for d in DTYPES if any(r.dtype == d for r in live)]
    cells = [[option, where, *(_cell(*measured[where, option, d]) for d in dtypes)] for where, option in lines]
    limits = [[r.allowed for r in live if r.dtype == d] for d in dtypes]  # hard options are allowed more
    allowed = [" to ".join(f"{a:.1e}" for a in dict.fromkeys((min(v), max(v)))) for v in limits]
    return Table(["option", "measured", *dtypes], [*cells, ["allowed", "", *allowed]], _provenance(record, name))


def _cell(value: float, grad: float | None) -> str:
    return f"{value:.1e}" + ("" if grad is None else f", {grad:.1e}")


def newest_record() -> dict[str, Any] | None:
    """The latest GPU record under results/gpu/, or None."""
    found = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(RECORDS.glob("*.json"))]
    return max(found, key=lambda r: r["date"], default=None)


def _provenance(record: dict[str, Any] | None, name: str) -> str:
    if record is None:
        return "GPU record: none yet. `make gpu-record` on a machine with CUDA makes one."
    fresh = any(r["name"] == name and r["source"] == source_hash(name) for r in record["rows"])
    state = "of this very source" if fresh else "STALE: the source has changed since, so it is not shown"
    return f"GPU record: {record['device']}, torch {record['torch']}, CUDA {record['cuda']}, {record['date']}, {state}."


@cache
def source_hash(name: str) -> str:
    """A hash of the code that decides this name's results: its own, that of every function and constant of the library
    that stands in it, theirs in turn, and its family's cases. Comments, docstrings and white space do not count."""
    case = next(c for c in ALL if c.name == name)
    concept = getattr(case, "concept", None) or getattr(losses, name, None) or getattr(optim, name)
    family = next(f for f in cases.FAMILIES if name in {c.name for c in f.CASES})
    texts = _texts([concept, MEASURES[type(case)]])
    return hashlib.sha256("".join([*sorted(texts), _bare(inspect.getsource(family))]).encode()).hexdigest()[:16]


def _texts(parts: list) -> set[str]:
    """The code of these functions and classes, and of what their code names in the library, and so on."""
    texts, seen = set(), []
    while parts:
        part = parts.pop()
        if part in seen or not part.__module__.startswith(__package__):
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


def _bare(text: str) -> str:
    """Source without comments, docstrings and white space, the same text on every Python."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "".join("\n".join(lines).split())


def names() -> list[str]:
    """Every loss, rule and helper that has a case."""
    return list(dict.fromkeys(c.name for c in ALL))
