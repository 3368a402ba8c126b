"""Exercises of the lesson on divergences, with the wrong answers that they recognise."""

import numpy as np
import torch
import torch.nn.functional as F

from lessons_lib.exercises import Exercise, on


def log_softmax(z):
    return z - np.logaddexp.reduce(z)


def _softmax(z):
    return np.exp(log_softmax(z))


def _skew(z, p, beta, through=True, factor=True, direct=False, guard=True):
    q = _softmax(z)
    m = (1 - beta) * p + beta * q
    by_q = -(beta if factor else 1.0) * p / np.where(p > 0, q if direct else m, 1)
    inside = np.where(p > 0, p, 1) / np.where(p > 0, m, 1) if guard else p / m
    return np.sum(p * np.log(inside)), q * (by_q - q @ by_q) if through else by_q


_Z, _P = np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.5, 0.3, 0.15, 0.05])
_NEVER = np.array([0.7, 0.0, 0.3]), np.array([2.0, 1.0, -900.0])  # p with a 0, and logits that leave nothing of q

skew = Exercise(
    "skewed_kl",
    "what is the derivative by one q_i, and how does it pass through the softmax?",
    {
        "That is forward KL itself, without the net.": lambda z, p, beta: _skew(z, p, 1.0),
        "The value is right. The gradient is the one by q, not by the logits.": lambda z, p, beta: _skew(
            z, p, beta, through=False
        ),
        "The value is right. In the gradient the inner derivative beta is missing.": lambda z, p, beta: _skew(
            z, p, beta, factor=False
        ),
        "The value is right. The gradient is that of forward KL, q - p.": lambda z, p, beta: (
            _skew(z, p, beta)[0],
            _softmax(z) - p,
        ),
        "The value is right. Line 2 also subtracts the mean: q * (a - q @ a).": lambda z, p, beta: (
            _skew(z, p, beta)[0],
            _softmax(z) * _skew(z, p, beta, through=False)[1],
        ),
        "The shares are exchanged: beta is the model's.": lambda z, p, beta: _skew(z, p, 1 - beta),
        "A class with p_i = 0 adds nothing: there 0 times log 0 is NaN.": lambda z, p, beta: _skew(
            z, p, beta, guard=False
        ),
        "The sign of the gradient is wrong.": lambda z, p, beta: (_skew(z, p, beta)[0], -_skew(z, p, beta)[1]),
        "The value is right. The derivative of log m is 1 / m, not 1 / q.": lambda z, p, beta: _skew(
            z, p, beta, direct=True
        ),
    },
    on((_Z, _P, 0.3), (3 * _Z, _P[::-1], 0.9), (-_Z, _P, 0.6), (*_NEVER[::-1], 0.4)),
    returns=2,
)


def _reverse(logits, p, reduction="batchmean", axis=-1):
    return F.kl_div(p.log(), logits.softmax(axis), reduction=reduction)


def _rows(answer):
    rng = torch.Generator().manual_seed(0)
    results = []
    for n, c in ((5, 3), (2, 7)):
        z, p = (3 * torch.randn(n, c, generator=rng, dtype=torch.float64) for _ in range(2))
        results.append(answer(z.clone(), p.softmax(-1)))
    return results


def _mean(logits, p):
    return _reverse(logits, p, "sum") / p.numel()  # what reduction="mean" gives, without its warning


reverse = Exercise(
    "reverse_kl",
    "which of the two distributions stands in front of the logarithm, and which argument of F.kl_div is that?",
    {
        "That is forward KL. F.kl_div(a, b) has b in front of the logarithm.": lambda z, p: F.kl_div(
            z.log_softmax(-1), p, reduction="batchmean"
        ),
        "Divided by the classes too: that is what the default reduction does.": _mean,
        "That is the sum over the rows, not their mean.": lambda z, p: _reverse(z, p, "sum"),
        "The first argument must be logarithms, whichever distribution it is.": lambda z, p: F.kl_div(
            p, z.softmax(-1), reduction="batchmean"
        ),
        "The second argument holds logarithms: then PyTorch must be told.": lambda z, p: F.kl_div(
            p.log(), z.log_softmax(-1), reduction="batchmean"
        ),
        "The softmax goes over the classes, the last axis.": lambda z, p: _reverse(z, p, axis=0),
    },
    _rows,
)


def _distil(z, t, k, T, alpha, *, power=2.0, chain=1.0, hard=1.0, by=(1.0, 1.0)):
    """by: what the teacher's and the labels' part of the gradient are multiplied with."""
    log_p, log_q, log_label = log_softmax(t / T), log_softmax(z / T), log_softmax(z / hard)
    p, q, label = np.exp(log_p), np.exp(log_q), np.exp(log_label)
    value = alpha * T**power * np.sum(p * (log_p - log_q)) - (1 - alpha) * log_label[k]
    soft_g, hard_g = T**power / T**chain * (q - p), (label - np.eye(len(z))[k]) / hard
    return value, by[0] * alpha * soft_g + by[1] * (1 - alpha) * hard_g


def _exchanged(z, t, k, T, alpha):
    value = _distil(t, z, k, T, alpha)[0] + (1 - alpha) * (log_softmax(t) - log_softmax(z))[k]
    return value, _distil(z, t, k, T, alpha)[1]


distil = Exercise(
    "distil",
    "write down the two losses one after the other: which softmax has a temperature?",
    {
        "The factor T squared is missing.": lambda *a: _distil(*a, power=0.0),
        "The value is right. In the gradient the chain rule through z / T is missing.": lambda *a: _distil(
            *a, chain=0.0
        ),
        "The value is right. The teacher's part of the gradient needs the factor T squared too.": lambda *a: (
            _distil(*a)[0],
            _distil(*a, chain=3.0)[1],
        ),
        "The labels' part has no temperature.": lambda z, t, k, T, alpha: _distil(z, t, k, T, alpha, hard=T),
        "alpha is the teacher's share, 1 - alpha the labels'.": lambda z, t, k, T, alpha: _distil(
            z, t, k, T, 1 - alpha
        ),
        "Teacher and student are exchanged in the divergence.": _exchanged,
        "The value is right. The labels are missing from the gradient.": lambda *a: _distil(*a, by=(1.0, 0.0)),
        "The sign of the gradient is wrong.": lambda *a: _distil(*a, by=(-1.0, -1.0)),
    },
    on(
        *((_Z, np.array([4.0, 0.0, -1.0, 1.0]), k, T, a) for k, T, a in ((0, 1.5, 0.3), (1, 3.0, 0.8), (3, 8.0, 0.6))),
        (np.array([30.0, -1.0, 9.0]), np.array([0.0, 20.0, 60.0]), 1, 5.0, 0.5),
    ),
    returns=2,
)

EXERCISES = [reverse, skew, distil]
