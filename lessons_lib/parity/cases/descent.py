"""Gradient descent and momentum."""

import torch

from ... import optim
from ._case import RuleCase, rule

_SGD = torch.optim.SGD

CASES: list[RuleCase] = [
    rule("SGD", "plain", optim.SGD(0.1), _SGD, lr=0.1),
    rule("SGD", "weight_decay", optim.SGD(0.1, 0.3), _SGD, lr=0.1, weight_decay=0.3),
    rule("SGD", "maximize", optim.SGD(0.01), _SGD, -1, lr=0.01, maximize=True),
    rule("Momentum", "plain", optim.Momentum(0.1), _SGD, lr=0.1, momentum=0.9),
    rule("Momentum", "dampening", optim.Momentum(0.1, 0.9, 0.4), _SGD, lr=0.1, momentum=0.9, dampening=0.4),
    rule("Momentum", "nesterov", optim.Momentum(0.1, 0.8, nesterov=True), _SGD, lr=0.1, momentum=0.8, nesterov=True),
    rule(
        "Momentum", "weight_decay", optim.Momentum(0.1, weight_decay=0.3), _SGD, lr=0.1, momentum=0.9, weight_decay=0.3
    ),
]
