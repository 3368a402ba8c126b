"""A rule's hyperparameters as options of torch's parameter groups, and back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch

from ..core.options import is_number


def title(rule) -> str:
    """Adam, or Lookahead(Adam)."""
    inner = [title(getattr(rule, f.name)) for f in fields(rule) if is_dataclass(getattr(rule, f.name))]
    return type(rule).__name__ + (f"({', '.join(inner)})" if inner else "")


def options(rule) -> dict[str, Any]:
    """The hyperparameters by torch's names, those of a rule inside included; what is not plain stays in the rule."""
    found: dict[str, Any] = {}
    for f in fields(rule):
        value = getattr(rule, f.name)
        if is_dataclass(value):
            found = {**options(value), **found}
        elif f.init and is_plain(value):
            found[f.name] = plain(value)
    if found.keys() >= {"beta1", "beta2"}:
        found["betas"] = found.pop("beta1"), found.pop("beta2")
    return found


def with_options(rule, options: dict[str, Any]):
    """The rule with these options, in the rules inside as well unless the outer one has that name."""
    given = dict(options)
    if "betas" in given:
        if not isinstance(given["betas"], (tuple, list)) or len(given["betas"]) != 2:
            raise ValueError(f"betas={given['betas']!r} is not allowed; it must be a pair of numbers")
        given["beta1"], given["beta2"] = given["betas"]
    values = {f.name: getattr(rule, f.name) for f in fields(rule) if f.init}
    inside = {name: a for name, a in options.items() if name not in values}
    for name, value in values.items():
        if is_dataclass(value):
            values[name] = with_options(value, inside)
        elif name in given and is_plain(value):
            values[name] = _now(given[name])
    return replace(rule, **values)


def fold_betas(group: dict[str, Any], defaults: dict[str, Any]) -> None:
    """beta1 and beta2 in a group become its betas."""
    names = [name for name in ("beta1", "beta2") if name in group]
    if names and "betas" in defaults:
        if "betas" in group:
            raise ValueError(f"group options {names[0]!r} and 'betas' contradict each other; give one of them")
        group["betas"] = tuple(group.pop(n, b) for n, b in zip(("beta1", "beta2"), defaults["betas"], strict=True))


def is_plain(value) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, str)) or torch.is_tensor(value) or is_number(value)


def plain(value):
    """A value as a state_dict may hold it, and as nobody else changes it."""
    if torch.is_tensor(value):
        return value.detach().clone()
    if isinstance(value, (tuple, list)):
        return tuple(map(plain, value))
    return value.item() if hasattr(value, "item") else value


def _now(value):
    """The number in a tensor lr, now."""
    return value.item() if torch.is_tensor(value) and value.numel() == 1 else value
