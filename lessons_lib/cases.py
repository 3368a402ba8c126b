"""One row per public loss and rule and option: ours, the PyTorch counterpart, and inputs that would show a mistake.

The lessons' parity tables, the tests and the GPU record all walk over these rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from . import optim
from .core import Loss, array_namespace, mean, total, weighted_mean
from .losses import binary_cross_entropy, cross_entropy, smooth_labels, soft_cross_entropy, squared_error


@dataclass(frozen=True)
class LossCase:
    """ours and torch take what `draw` returns; the first of these is the prediction."""

    name: str
    option: str
    draw: Callable[[np.random.Generator], tuple]
    ours: Callable[..., Loss]
    torch: Callable[..., torch.Tensor]


@dataclass(frozen=True)
class RuleCase:
    """ours is a rule, torch makes the counterpart from a list of parameters. sign = -1 walks up instead of down."""

    name: str
    option: str
    ours: Any
    torch: Callable[[list], torch.optim.Optimizer] = field(repr=False)
    sign: int = 1


def _binary(rng):
    return 4 * rng.normal(size=(7, 5)), rng.integers(0, 2, (7, 5)).astype(float)


def _soft_binary(rng):
    return 4 * rng.normal(size=(7, 5)), rng.random((7, 5))


def _far_binary(rng):
    return np.array([1e4, 1e4, -1e4, -1e4, 0.0]), np.array([0.0, 1, 0, 1, 1])


def _real(rng):
    return 3 * rng.normal(size=(4, 3)), rng.normal(size=(4, 3))


def _classes(rng):
    return 4 * rng.normal(size=(9, 6)), rng.integers(0, 6, 9)


def _far_classes(rng):
    return np.array([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]]), np.array([0, 1])


def _ignored(rng):
    logits, labels = _classes(rng)
    return logits, np.where(np.arange(9) % 3 == 0, -100, labels)


def _tokens(rng):
    return 4 * rng.normal(size=(2, 5, 6)), rng.integers(0, 6, (2, 5))


def _distribution(rng):
    return 4 * rng.normal(size=(9, 6)), rng.dirichlet(np.ones(6), 9)


WEIGHTS = [0.5, 2.0, 1.0, 3.0, 0.25, 1.5]  # one per class or column, all exact in binary


def _like(a, numbers):
    xp = array_namespace(a)
    return xp.asarray(numbers, dtype=a.dtype, device=a.device)


def _scaled(loss: Loss, w) -> Loss:
    return Loss(loss.value * w, loss.grad * w)


def _per_class(logits, labels):
    onehot = smooth_labels(labels, logits.shape[-1], 0.0, logits.dtype)
    return array_namespace(logits).sum(onehot * _like(logits, WEIGHTS), axis=-1)


def _skip_ignored(logits, labels):
    xp = array_namespace(logits)
    keep = labels != -100
    return weighted_mean(cross_entropy(logits, xp.where(keep, labels, xp.zeros_like(labels))), keep)


def _smooth(logits, labels):
    return mean(soft_cross_entropy(logits, smooth_labels(labels, logits.shape[-1], 0.3, logits.dtype)))


def _weight_and_smooth(logits, labels):
    """PyTorch weighs every term of the smoothed target, and divides by the weights of the labels alone."""
    target = smooth_labels(labels, logits.shape[-1], 0.3, logits.dtype) * _like(logits, WEIGHTS)
    n = array_namespace(logits).sum(_per_class(logits, labels))
    return _scaled(total(soft_cross_entropy(logits, target)), 1 / n)


def _reductions(name, draw, ours, theirs) -> list[LossCase]:
    reduce = {"none": lambda loss: loss, "mean": mean, "sum": total}
    return [
        LossCase(name, f'reduction="{r}"', draw, lambda *a, f=f: f(ours(*a)), lambda *a, r=r: theirs(*a, reduction=r))
        for r, f in reduce.items()
    ]


_bce, _ce, _soft = "binary_cross_entropy", "cross_entropy", "soft_cross_entropy"
_torch_bce = F.binary_cross_entropy_with_logits

LOSSES = [
    *_reductions("squared_error", _real, squared_error, F.mse_loss),
    *_reductions(_bce, _binary, binary_cross_entropy, _torch_bce),
    LossCase(
        _bce,
        "target a probability",
        _soft_binary,
        binary_cross_entropy,
        lambda z, y: _torch_bce(z, y, reduction="none"),
    ),
    LossCase(
        _bce,
        "pos_weight",
        _soft_binary,
        lambda z, y: mean(binary_cross_entropy(z, y, _like(z, WEIGHTS[:5]))),
        lambda z, y: _torch_bce(z, y, pos_weight=_like(z, WEIGHTS[:5])),
    ),
    LossCase(
        _bce,
        "weight",
        _binary,
        lambda z, y: mean(_scaled(binary_cross_entropy(z, y), _like(z, WEIGHTS[:5]))),
        lambda z, y: _torch_bce(z, y, weight=_like(z, WEIGHTS[:5])),
    ),
    LossCase(_bce, "logits of 1e4", _far_binary, binary_cross_entropy, lambda z, y: _torch_bce(z, y, reduction="none")),
    *_reductions(_ce, _classes, cross_entropy, F.cross_entropy),
    LossCase(
        _ce,
        "weight",
        _classes,
        lambda z, k: weighted_mean(cross_entropy(z, k), _per_class(z, k)),
        lambda z, k: F.cross_entropy(z, k, weight=_like(z, WEIGHTS)),
    ),
    LossCase(_ce, "ignore_index", _ignored, _skip_ignored, lambda z, k: F.cross_entropy(z, k, ignore_index=-100)),
    LossCase(_ce, "label_smoothing", _classes, _smooth, lambda z, k: F.cross_entropy(z, k, label_smoothing=0.3)),
    LossCase(
        _ce,
        "tokens (B, T, C)",
        _tokens,
        cross_entropy,
        lambda z, k: F.cross_entropy(z.movedim(-1, 1), k, reduction="none"),
    ),
    LossCase(_ce, "logits of 1e4", _far_classes, cross_entropy, lambda z, k: F.cross_entropy(z, k, reduction="none")),
    LossCase(
        _ce,
        "weight, label_smoothing",
        _classes,
        _weight_and_smooth,
        lambda z, k: F.cross_entropy(z, k, weight=_like(z, WEIGHTS), label_smoothing=0.3),
    ),
    *_reductions(_soft, _distribution, soft_cross_entropy, F.cross_entropy),
    LossCase(
        _soft,
        "weight",
        _distribution,
        lambda z, y: mean(soft_cross_entropy(z, y * _like(z, WEIGHTS))),
        lambda z, y: F.cross_entropy(z, y, weight=_like(z, WEIGHTS)),
    ),
    LossCase(
        _soft,
        "label_smoothing",
        _distribution,
        lambda z, y: mean(soft_cross_entropy(z, 0.7 * y + 0.3 / y.shape[-1])),
        lambda z, y: F.cross_entropy(z, y, label_smoothing=0.3),
    ),
]


def _rule(name, option, ours, torch_class, sign=1, **options) -> RuleCase:
    return RuleCase(name, option, ours, lambda params: torch_class(params, **options), sign)


_SGD, _Adam, _AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
_far = {"beta1": 0.8, "beta2": 0.9}  # far from the defaults, at which wrong formulas look right

RULES = [
    _rule("SGD", "plain", optim.SGD(0.1), _SGD, lr=0.1),
    _rule("SGD", "weight_decay", optim.SGD(0.1, 0.3), _SGD, lr=0.1, weight_decay=0.3),
    _rule("SGD", "maximize", optim.SGD(0.01), _SGD, -1, lr=0.01, maximize=True),
    _rule("Momentum", "plain", optim.Momentum(0.1), _SGD, lr=0.1, momentum=0.9),
    _rule("Momentum", "dampening", optim.Momentum(0.1, 0.9, 0.4), _SGD, lr=0.1, momentum=0.9, dampening=0.4),
    _rule("Momentum", "nesterov", optim.Momentum(0.1, 0.8, nesterov=True), _SGD, lr=0.1, momentum=0.8, nesterov=True),
    _rule(
        "Momentum", "weight_decay", optim.Momentum(0.1, weight_decay=0.3), _SGD, lr=0.1, momentum=0.9, weight_decay=0.3
    ),
    _rule("Adam", "plain", optim.Adam(0.1), _Adam, lr=0.1),
    _rule("Adam", "betas", optim.Adam(0.1, **_far), _Adam, lr=0.1, betas=(0.8, 0.9)),
    _rule("Adam", "betas of 0", optim.Adam(0.1, 0.0, 0.0), _Adam, lr=0.1, betas=(0.0, 0.0)),
    _rule("Adam", "eps", optim.Adam(0.1, eps=0.5), _Adam, lr=0.1, eps=0.5),
    _rule("Adam", "weight_decay", optim.Adam(0.1, weight_decay=0.3), _Adam, lr=0.1, weight_decay=0.3),
    _rule("Adam", "maximize", optim.Adam(0.1), _Adam, -1, lr=0.1, maximize=True),
    _rule("AdamW", "plain", optim.AdamW(0.1), _AdamW, lr=0.1),
    _rule("AdamW", "betas, eps", optim.AdamW(0.1, **_far, eps=0.5), _AdamW, lr=0.1, betas=(0.8, 0.9), eps=0.5),
    _rule("AdamW", "weight_decay", optim.AdamW(0.1, weight_decay=0.5), _AdamW, lr=0.1, weight_decay=0.5),
    _rule("AdamW", "maximize", optim.AdamW(0.1), _AdamW, -1, lr=0.1, maximize=True),
    _rule(
        "AdamW",
        "of Adam",
        optim.AdamW(0.1, weight_decay=0.5),
        _Adam,
        lr=0.1,
        weight_decay=0.5,
        decoupled_weight_decay=True,
    ),
    _rule(
        "AMSGrad", "weight_decay", optim.AMSGrad(0.1, weight_decay=0.5), _AdamW, lr=0.1, weight_decay=0.5, amsgrad=True
    ),
    _rule("AMSGrad", "plain", optim.AMSGrad(0.1), _Adam, lr=0.1, amsgrad=True),
    _rule(
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
