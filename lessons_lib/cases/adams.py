"""Adam and its relatives."""

import torch

from .. import optim
from ._case import RuleCase, rule

_Adam, _AdamW = torch.optim.Adam, torch.optim.AdamW
_far = {"beta1": 0.8, "beta2": 0.9}  # far from the defaults, at which wrong formulas look right

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
]
