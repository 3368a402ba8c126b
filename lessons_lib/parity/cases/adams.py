"""Adam and its relatives."""

from dataclasses import dataclass
from typing import Any

import torch

from ... import optim
from ...core import array_namespace
from ._case import RuleCase, rule
from .adaptive import float64_scalars


def some_rows(g):
    """g with about a third of its rows set to 0: those with a small first number, and -g has the same ones.

    Done to ours and to PyTorch's gradient alike, since the drawn gradients have no empty row.
    """
    xp = array_namespace(g)
    return g * xp.astype(xp.abs(g[:, :1]) > 5e-4, g.dtype)


@dataclass(frozen=True)
class SomeRows:
    """A rule that is handed some rows of the gradient only."""

    rule: Any

    def init(self, theta):
        return self.rule.init(theta)

    def update(self, theta, g, state):
        return self.rule.update(theta, some_rows(g), state)


def sparse(option, ours, sign=1, **options) -> RuleCase:
    """The case of SparseAdam against PyTorch's, which takes the rows that are not 0 as a sparse tensor."""
    return RuleCase(
        "SparseAdam",
        option,
        SomeRows(ours),
        lambda params: torch.optim.SparseAdam(params, **options),
        sign,
        gradient=lambda g: some_rows(g).to_sparse(1),
    )


_Adam, _AdamW = torch.optim.Adam, torch.optim.AdamW
_Adamax, _NAdam, _RAdam = torch.optim.Adamax, float64_scalars(torch.optim.NAdam), torch.optim.RAdam
_far: dict[str, Any] = {"beta1": 0.8, "beta2": 0.9}  # far from the defaults, at which wrong formulas look right

CASES: list[RuleCase] = [
    rule("Adam", "plain", optim.Adam(0.1), _Adam, lr=0.1),
    rule("Adam", "betas", optim.Adam(0.1, **_far), _Adam, lr=0.1, betas=(0.8, 0.9)),
    rule("Adam", "betas of 0", optim.Adam(0.1, 0.0, 0.0), _Adam, lr=0.1, betas=(0.0, 0.0)),
    rule("Adam", "eps", optim.Adam(0.1, eps=0.5), _Adam, lr=0.1, eps=0.5),
    rule("Adam", "weight_decay", optim.Adam(0.1, weight_decay=0.3), _Adam, lr=0.1, weight_decay=0.3),
    rule("Adam", "maximize", optim.Adam(0.1), _Adam, -1, lr=0.1, maximize=True),
    rule("AdamW", "plain", optim.AdamW(0.1), _AdamW, lr=0.1),
    rule("AdamW", "betas, eps", optim.AdamW(0.1, **_far, eps=0.5), _AdamW, lr=0.1, betas=(0.8, 0.9), eps=0.5),
    rule("AdamW", "weight_decay", optim.AdamW(0.1, weight_decay=0.5), _AdamW, lr=0.1, weight_decay=0.5),
    rule("AdamW", "maximize", optim.AdamW(0.1), _AdamW, -1, lr=0.1, maximize=True),
    rule(
        "AdamW",
        "of Adam",
        optim.AdamW(0.1, weight_decay=0.5),
        _Adam,
        lr=0.1,
        weight_decay=0.5,
        decoupled_weight_decay=True,
    ),
    rule(
        "AMSGrad", "weight_decay", optim.AMSGrad(0.1, weight_decay=0.5), _AdamW, lr=0.1, weight_decay=0.5, amsgrad=True
    ),
    rule("AMSGrad", "plain", optim.AMSGrad(0.1), _Adam, lr=0.1, amsgrad=True),
    rule(
        "AMSGrad",
        "betas, eps",
        optim.AMSGrad(0.1, **_far, eps=0.5),
        _Adam,
        lr=0.1,
        betas=(0.8, 0.9),
        eps=0.5,
        amsgrad=True,
    ),
    rule("Adamax", "plain", optim.Adamax(0.1), _Adamax, lr=0.1),
    rule("Adamax", "betas", optim.Adamax(0.1, **_far), _Adamax, lr=0.1, betas=(0.8, 0.9)),
    rule("Adamax", "eps", optim.Adamax(0.1, eps=0.5), _Adamax, lr=0.1, eps=0.5),
    rule("Adamax", "weight_decay", optim.Adamax(0.1, weight_decay=0.3), _Adamax, lr=0.1, weight_decay=0.3),
    rule("Adamax", "maximize", optim.Adamax(0.1), _Adamax, -1, lr=0.1, maximize=True),
    rule("NAdam", "plain", optim.NAdam(0.1), _NAdam, lr=0.1),
    rule("NAdam", "betas, eps", optim.NAdam(0.1, **_far, eps=0.5), _NAdam, lr=0.1, betas=(0.8, 0.9), eps=0.5),
    rule("NAdam", "momentum_decay", optim.NAdam(0.1, momentum_decay=0.7), _NAdam, lr=0.1, momentum_decay=0.7),
    rule("NAdam", "weight_decay", optim.NAdam(0.1, weight_decay=0.3), _NAdam, lr=0.1, weight_decay=0.3),
    rule(
        "NAdam",
        "decoupled_weight_decay",
        optim.NAdam(0.1, weight_decay=0.5, decoupled_weight_decay=True),
        _NAdam,
        lr=0.1,
        weight_decay=0.5,
        decoupled_weight_decay=True,
    ),
    rule("NAdam", "maximize", optim.NAdam(0.1), _NAdam, -1, lr=0.1, maximize=True),
    rule("RAdam", "plain", optim.RAdam(0.1), _RAdam, lr=0.1),
    rule("RAdam", "betas, eps", optim.RAdam(0.1, **_far, eps=0.5), _RAdam, lr=0.1, betas=(0.8, 0.9), eps=0.5),
    rule("RAdam", "never adaptive", optim.RAdam(0.01, beta2=0.6), _RAdam, lr=0.01, betas=(0.9, 0.6)),
    rule("RAdam", "weight_decay", optim.RAdam(0.1, weight_decay=0.3), _RAdam, lr=0.1, weight_decay=0.3),
    rule(
        "RAdam",
        "decoupled_weight_decay",
        optim.RAdam(0.1, weight_decay=0.5, decoupled_weight_decay=True),
        _RAdam,
        lr=0.1,
        weight_decay=0.5,
        decoupled_weight_decay=True,
    ),
    rule("RAdam", "maximize", optim.RAdam(0.1), _RAdam, -1, lr=0.1, maximize=True),
    sparse("plain", optim.SparseAdam(0.1), lr=0.1),
    sparse("betas", optim.SparseAdam(0.1, **_far), lr=0.1, betas=(0.8, 0.9)),
    sparse("eps", optim.SparseAdam(0.1, eps=0.5), lr=0.1, eps=0.5),
    sparse("maximize", optim.SparseAdam(0.1), -1, lr=0.1, maximize=True),
]
