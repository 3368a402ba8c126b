"""The measurement behind the table: one row per option and dtype, each with what is allowed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..core import is_half
from . import cases

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
    allowed = torch.finfo(dtype).eps * (1 if is_half(inputs[0]) else case.allowed)
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
    return _error(theta, theirs), None, (16 if is_half(theta) else case.allowed) * torch.finfo(dtype).eps


def _helper_errors(case: cases.HelperCase, dtype: torch.dtype, device: torch.device):
    ours, theirs = case.ours(dtype, device), case.torch(dtype, device)
    allowed = case.half_allowed if is_half(ours) else case.allowed
    return _error(ours, theirs), None, allowed * torch.finfo(dtype).eps


MEASURES: dict = {cases.LossCase: _loss_errors, cases.RuleCase: _rule_errors, cases.HelperCase: _helper_errors}


def _tensor(a, dtype, device) -> torch.Tensor:
    a = torch.as_tensor(a)
    return a.to(device, dtype if a.is_floating_point() else a.dtype)


def _judged(a: torch.Tensor) -> torch.Tensor:
    return a.detach().to(torch.float32, copy=True) if is_half(a) else a.detach().clone()


def _error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    ours, theirs = ours.detach().double().cpu(), theirs.detach().double().cpu()
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-30))


def names() -> list[str]:
    """Every loss, rule and helper that has a case."""
    return list(dict.fromkeys(c.name for c in ALL))
