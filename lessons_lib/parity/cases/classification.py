"""Losses on logits and classes."""

import numpy as np
import torch.nn.functional as F

from ...core import array_namespace, mean, total, weighted_mean
from ...losses import binary_cross_entropy, cross_entropy, focal, smooth_labels, soft_cross_entropy
from ._case import WEIGHTS, LossCase, like, reductions, scaled


def _binary(rng):
    return 4 * rng.normal(size=(7, 5)), rng.integers(0, 2, (7, 5)).astype(float)


def _soft_binary(rng):
    return 4 * rng.normal(size=(7, 5)), rng.random((7, 5))


def _far_binary(rng):
    return np.array([1e4, 1e4, -1e4, -1e4, 0.0]), np.array([0.0, 1, 0, 1, 1])


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


def _per_class(logits, labels):
    onehot = smooth_labels(labels, logits.shape[-1], 0.0, logits.dtype)
    return array_namespace(logits).sum(onehot * like(logits, WEIGHTS), axis=-1)


def _skip_ignored(logits, labels):
    xp = array_namespace(logits)
    keep = labels != -100
    return weighted_mean(cross_entropy(logits, xp.where(keep, labels, xp.zeros_like(labels))), keep)


def _smooth(logits, labels):
    return mean(soft_cross_entropy(logits, smooth_labels(labels, logits.shape[-1], 0.3, logits.dtype)))


def _weight_and_smooth(logits, labels):
    """PyTorch weighs every term of the smoothed target, and divides by the weights of the labels alone."""
    target = smooth_labels(labels, logits.shape[-1], 0.3, logits.dtype) * like(logits, WEIGHTS)
    n = array_namespace(logits).sum(_per_class(logits, labels))
    return scaled(total(soft_cross_entropy(logits, target)), 1 / n)


def _torch_focal(z, k, gamma=2.0, alpha=1.0, reduction="none"):
    log_p = z.log_softmax(-1)
    others = log_p.masked_fill(F.one_hot(k, z.shape[-1]).bool(), -np.inf).exp().sum(-1)
    value = -alpha * others**gamma * log_p.gather(-1, k[..., None])[..., 0]
    return value if reduction == "none" else getattr(value, reduction)()


_bce, _ce, _soft = "binary_cross_entropy", "cross_entropy", "soft_cross_entropy"
_torch_bce = F.binary_cross_entropy_with_logits

CASES: list[LossCase] = [
    *reductions(_bce, _binary, binary_cross_entropy, _torch_bce),
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
        lambda z, y: mean(binary_cross_entropy(z, y, like(z, WEIGHTS[:5]))),
        lambda z, y: _torch_bce(z, y, pos_weight=like(z, WEIGHTS[:5])),
    ),
    LossCase(
        _bce,
        "weight",
        _binary,
        lambda z, y: mean(scaled(binary_cross_entropy(z, y), like(z, WEIGHTS[:5]))),
        lambda z, y: _torch_bce(z, y, weight=like(z, WEIGHTS[:5])),
    ),
    LossCase(_bce, "logits of 1e4", _far_binary, binary_cross_entropy, lambda z, y: _torch_bce(z, y, reduction="none")),
    *reductions(_ce, _classes, cross_entropy, F.cross_entropy),
    LossCase(
        _ce,
        "weight",
        _classes,
        lambda z, k: weighted_mean(cross_entropy(z, k), _per_class(z, k)),
        lambda z, k: F.cross_entropy(z, k, weight=like(z, WEIGHTS)),
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
        lambda z, k: F.cross_entropy(z, k, weight=like(z, WEIGHTS), label_smoothing=0.3),
    ),
    *reductions(_soft, _distribution, soft_cross_entropy, F.cross_entropy),
    LossCase(
        _soft,
        "weight",
        _distribution,
        lambda z, y: mean(soft_cross_entropy(z, y * like(z, WEIGHTS))),
        lambda z, y: F.cross_entropy(z, y, weight=like(z, WEIGHTS)),
    ),
    LossCase(
        _soft,
        "label_smoothing",
        _distribution,
        lambda z, y: mean(soft_cross_entropy(z, 0.7 * y + 0.3 / y.shape[-1])),
        lambda z, y: F.cross_entropy(z, y, label_smoothing=0.3),
    ),
    *reductions("focal", _classes, focal, _torch_focal),
    LossCase(
        "focal",
        "gamma=0",
        _classes,
        lambda z, k: focal(z, k, 0.0),
        lambda z, k: F.cross_entropy(z, k, reduction="none"),
    ),
    LossCase("focal", "gamma=0.5", _classes, lambda z, k: focal(z, k, 0.5), lambda z, k: _torch_focal(z, k, 0.5)),
    LossCase(
        "focal",
        "alpha",
        _classes,
        lambda z, k: focal(z, k, 3.0, like(z, WEIGHTS)),
        lambda z, k: _torch_focal(z, k, 3.0, like(z, WEIGHTS)[k]),
    ),
]
