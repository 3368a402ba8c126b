"""Losses on probabilities and their logarithms."""

from typing import Any

import numpy as np
import torch.nn.functional as F

from ...core import Loss, array_namespace, mean, total, weighted_mean
from ...losses import binary_cross_entropy_on_probabilities, jensen_shannon, kl_divergence, nll
from ._case import WEIGHTS, LossCase, like, reductions, scaled


def _labelled(rng):
    return np.log(rng.dirichlet(np.ones(6), 9)), rng.integers(0, 6, 9)


def _ignored(rng):
    log_p, labels = _labelled(rng)
    return log_p, np.where(np.arange(9) % 3 == 0, -100, labels)


def _two(rng):
    p = rng.dirichlet(np.ones(6), 9)
    p[0] = [1, 0, 0, 0, 0, 0]
    return np.log(rng.dirichlet(np.ones(6), 9)), p


def _two_logs(rng):
    return tuple(np.log(rng.dirichlet(np.ones(6), 9)) for _ in range(2))


def _chances(rng):
    return 0.02 + 0.96 * rng.random((7, 5)), rng.random((7, 5))


def _per_class(log_p, labels):
    return array_namespace(log_p).take(like(log_p, WEIGHTS), labels)


def _skip_ignored(log_p, labels):
    xp = array_namespace(log_p)
    keep = labels != -100
    return weighted_mean(nll(log_p, xp.where(keep, labels, xp.zeros_like(labels))), keep)


def _per_row(fn):
    return lambda *a, **options: fn(*a, reduction="none", **options).sum(-1)


def _logits_and_p(rng):
    z, p = 2 * rng.normal(size=(9, 6)), rng.dirichlet(np.ones(6), 9)
    p[0] = [1, 0, 0, 0, 0, 0]
    return z, p


def _torch_jensen_shannon(z, p, reduction="none"):
    q = z.softmax(-1)
    log_m = ((p + q) / 2).log()
    value = (F.kl_div(log_m, p, reduction="none") + F.kl_div(log_m, q, reduction="none")).sum(-1) / 2
    return value if reduction == "none" else getattr(value, reduction)()


_kl, _bce = "kl_divergence", "binary_cross_entropy_on_probabilities"
_probabilities: dict[str, Any] = {"far": 0.5, "allowed": 64}  # numbers in [0, 1] have no far

CASES: list[LossCase] = [
    *reductions("nll", _labelled, nll, F.nll_loss),
    LossCase(
        "nll",
        "weight",
        _labelled,
        lambda a, k: weighted_mean(nll(a, k), _per_class(a, k)),
        lambda a, k: F.nll_loss(a, k, weight=like(a, WEIGHTS)),
    ),
    LossCase("nll", "ignore_index", _ignored, _skip_ignored, lambda a, k: F.nll_loss(a, k, ignore_index=-100)),
    LossCase(_kl, 'reduction="none", rows', _two, kl_divergence, _per_row(F.kl_div)),
    LossCase(
        _kl,
        'reduction="batchmean"',
        _two,
        lambda a, p: mean(kl_divergence(a, p)),
        lambda a, p: F.kl_div(a, p, reduction="batchmean"),
    ),
    LossCase(
        _kl,
        'reduction="sum"',
        _two,
        lambda a, p: total(kl_divergence(a, p)),
        lambda a, p: F.kl_div(a, p, reduction="sum"),
    ),
    LossCase(
        _kl,
        'reduction="mean"',
        _two,
        lambda a, p: scaled(mean(kl_divergence(a, p)), 1 / 6),
        lambda a, p: F.kl_div(a, p, reduction="none").mean(),
    ),
    LossCase(
        _kl,
        "log_target",
        _two_logs,
        lambda a, log_p: kl_divergence(a, array_namespace(log_p).exp(log_p)),
        lambda a, log_p: F.kl_div(a, log_p, reduction="none", log_target=True).sum(-1),
    ),
    *reductions(_bce, _chances, binary_cross_entropy_on_probabilities, F.binary_cross_entropy, **_probabilities),
    LossCase(
        _bce,
        "weight",
        _chances,
        lambda p, y: mean(_weighed(binary_cross_entropy_on_probabilities(p, y))),
        lambda p, y: F.binary_cross_entropy(p, y, weight=like(p, WEIGHTS[:5])),
        **_probabilities,
    ),
    *reductions("jensen_shannon", _logits_and_p, jensen_shannon, _torch_jensen_shannon),
]


def _weighed(loss: Loss) -> Loss:
    return scaled(loss, like(loss.value, WEIGHTS[:5]))
