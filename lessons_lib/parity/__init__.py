"""Ours against PyTorch: one row per option and dtype, each with what is allowed. Lessons show it, tests assert it."""

from __future__ import annotations

import torch

from ..show import Table
from .measure import ALL, DTYPES, Row, names, rows
from .record import newest_record, provenance, source_hash


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
    return Table(["option", "measured", *dtypes], [*cells, ["allowed", "", *allowed]], provenance(record, name))


def _cell(value: float, grad: float | None) -> str:
    return f"{value:.1e}" + ("" if grad is None else f", {grad:.1e}")
