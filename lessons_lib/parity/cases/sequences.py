"""Losses of speech and language models: sequences without alignment, vocabularies too large for one softmax."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ...core import Loss, array_namespace, mean, total, weighted_mean
from ...losses import adaptive_cross_entropy, ctc
from ._case import LossCase, scaled

CUTOFFS = (3, 5)  # classes 0 to 2 alone, {3, 4}, {5, 6, 7, 8}
CLASSES = 9


def _speech(rng, blank=0):
    """Five examples: all steps and labels; fewer of both; a repeated label; no label; a tight fit."""
    labels = rng.integers(1, 6, (5, 4))
    labels[2] = 3
    labels = np.where(labels == blank, 0, labels)
    return rng.normal(size=(5, 12, 6)), labels, np.array([12, 9, 8, 5, 7]), np.array([4, 2, 3, 0, 4])


def _blank_last(rng):
    return _speech(rng, blank=5)


def _too_short(rng):
    logits, labels, steps, lengths = _speech(rng)
    return logits, labels, np.where(np.arange(5) == 2, 3, steps), lengths  # 3 3 3 needs 5 steps


def _torch_ctc(z, labels, steps, lengths, **options):
    return F.ctc_loss(z.log_softmax(-1).movedim(0, 1), labels, steps, lengths, **options)


def _per_label(z, labels, steps, lengths):
    loss = ctc(z, labels, steps, lengths)
    xp = array_namespace(z)
    w = 1 / xp.astype(xp.maximum(lengths, xp.ones_like(lengths)), z.dtype)
    return mean(Loss(loss.value * w, loss.grad * w[:, None, None]))


def _words(rng):
    return 4 * rng.normal(size=(12, CLASSES + len(CUTOFFS))), rng.permutation(np.arange(12) % CLASSES)


def _torch_adaptive(z, labels):
    """PyTorch's layer, with weights that pass each logit on as it is."""
    eye, head, clusters = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device), CUTOFFS[0], len(CUTOFFS)
    layer = torch.nn.AdaptiveLogSoftmaxWithLoss(z.shape[-1], CLASSES, CUTOFFS, div_value=1.0).to(z)
    layer.head.weight.data = eye[: head + clusters]
    start = head + clusters
    for tail in layer.tail:
        tail[0].weight.data, tail[1].weight.data = eye, eye[start : start + tail[1].out_features]
        start += tail[1].out_features
    return layer(z, labels)


def _finite(z, labels, steps, lengths):
    loss = ctc(z, labels, steps, lengths)
    return scaled(weighted_mean(loss, loss.value < array_namespace(z).inf), 4 / 5)  # PyTorch counts the fifth as 0


_ctc, _adaptive = "ctc", "adaptive_cross_entropy"
_long: dict[str, Any] = {"far": 1e3}  # a value sums 12 steps: above that, it may leave float16's range

CASES: list[LossCase] = [
    LossCase(_ctc, 'reduction="none"', _speech, ctc, lambda *a: _torch_ctc(*a, reduction="none"), **_long),
    LossCase(_ctc, 'reduction="mean"', _speech, _per_label, _torch_ctc, **_long),
    LossCase(
        _ctc, 'reduction="sum"', _speech, lambda *a: total(ctc(*a)), lambda *a: _torch_ctc(*a, reduction="sum"), **_long
    ),
    LossCase(
        _ctc,
        "blank",
        _blank_last,
        lambda *a: ctc(*a, blank=5),
        lambda *a: _torch_ctc(*a, blank=5, reduction="none"),
        **_long,
    ),
    LossCase(
        _ctc,
        "zero_infinity",
        _too_short,
        _finite,
        lambda *a: _torch_ctc(*a, zero_infinity=True, reduction="none").mean(),
        **_long,
    ),
    LossCase(
        _adaptive,
        "output",
        _words,
        lambda z, k: adaptive_cross_entropy(z, k, CUTOFFS),
        lambda z, k: -_torch_adaptive(z, k).output,
    ),
    LossCase(
        _adaptive,
        "loss",
        _words,
        lambda z, k: mean(adaptive_cross_entropy(z, k, CUTOFFS)),
        lambda z, k: _torch_adaptive(z, k).loss,
    ),
]
