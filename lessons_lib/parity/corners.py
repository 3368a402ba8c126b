"""Inputs at the edge: kinks, extremes, nothing at all. Our answer to each, and PyTorch's, for the parity page.

`expected` is what ours promises; the tests hold it to that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from .. import losses, optim
from ..core import Loss, mean, weighted_mean

INF, NAN = float("inf"), float("nan")


@dataclass(frozen=True)
class Corner:
    """ours and theirs take `inputs`; the first is differentiated. An optimizer's corner makes steps instead."""

    title: str
    expected: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    inputs: tuple = ()

    def answers(self) -> list[str]:
        """Ours, then PyTorch's: value and gradient, or the parameter after the steps."""
        return [_tell(_ours(self.ours, self.inputs)), _tell(_theirs(self.theirs, self.inputs))]


def _ours(fn, inputs) -> list:
    found = fn(*inputs)
    if not isinstance(found, Loss):
        return [found]
    return [found.value, found.grad[0] if isinstance(found.grad, tuple) else found.grad]


def _theirs(fn, inputs) -> list:
    if not inputs:
        return [fn()]
    first = inputs[0].clone().requires_grad_()
    value = fn(first, *inputs[1:])
    return [value, torch.autograd.grad(value.sum(), first)[0]]


def _tell(numbers: list) -> str:
    return "; ".join(
        " ".join(f"{x + 0.0:.3g}" for x in n.detach().double().flatten().tolist()) or "empty" for n in numbers
    )


def _f(*numbers, dtype=torch.float32):
    return torch.tensor(numbers, dtype=dtype)


def _k(*labels):
    return torch.tensor(labels)


def _ignoring(logits, labels):
    keep = labels != -100
    return weighted_mean(losses.cross_entropy(logits, labels.clamp(min=0)), keep)


def _steps(rule, g, dtype=torch.float32, n=1, start=1.0):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* diverged", RuntimeWarning)  # a corner may
        return optim.descend(torch.full((1,), start, dtype=dtype), rule, lambda x: torch.full_like(x, g), n)[-1]


def _torch_steps(kind, g, dtype=torch.float32, n=1, start=1.0, **options):
    theta = torch.full((1,), start, dtype=dtype, requires_grad=True)
    optimizer = kind([theta], foreach=False, **options)
    for _ in range(n):
        theta.grad = torch.full_like(theta, g)
        optimizer.step()
    return theta


def _rule(title, expected, rule, kind, g, dtype=torch.float32, n=1, **options) -> Corner:
    return Corner(
        title, expected, lambda: _steps(rule, g, dtype, n), lambda: _torch_steps(kind, g, dtype, n, **options)
    )


def _none(fn, **options):
    return lambda *a: fn(*a, reduction="none", **options)


_half = torch.float16
_ce, _torch_ce = losses.cross_entropy, _none(F.cross_entropy)
_bce, _torch_bce = losses.binary_cross_entropy, _none(F.binary_cross_entropy_with_logits)
_Adam, _AdamW, _RMSprop = torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop

CORNERS = [
    # cross-entropy
    Corner(
        "cross_entropy: logits of 1e4, float16",
        "2e+04; 1 -1 0",
        _ce,
        _torch_ce,
        (_f([1e4, -1e4, 0], dtype=_half), _k(1)),
    ),
    Corner(
        "cross_entropy: a gap of 30 in float32", "9.36e-14; -9.36e-14 9.36e-14", _ce, _torch_ce, (_f([30, 0]), _k(0))
    ),
    Corner("cross_entropy: -inf on another class", "0.693; -0.5 0.5 0", _ce, _torch_ce, (_f([0, 0, -INF]), _k(0))),
    Corner("cross_entropy: -inf on the label", "inf; -1 1", _ce, _torch_ce, (_f([-INF, 0]), _k(0))),
    Corner("cross_entropy: a row of -inf", "nan; nan nan", _ce, _torch_ce, (_f([-INF, -INF]), _k(0))),
    Corner("cross_entropy: +inf on the label", "nan; nan nan", _ce, _torch_ce, (_f([INF, 0]), _k(0))),
    Corner(
        "soft_cross_entropy: -inf on a class of probability 0.5",
        "inf; 0.5 -0.5",
        losses.soft_cross_entropy,
        _torch_ce,
        (_f([0, -INF]), _f([0.5, 0.5])),
    ),
    Corner(
        "soft_cross_entropy: -inf on a class of probability 0",
        "0; 0 0",
        losses.soft_cross_entropy,
        _torch_ce,
        (_f([0, -INF]), _f([1, 0])),
    ),
    Corner(
        "cross_entropy: every label ignored, mean",
        "0; 0 0 0 0",
        _ignoring,
        F.cross_entropy,
        (torch.zeros(2, 2), _k(-100, -100)),
    ),
    Corner(
        "cross_entropy: NaN in an ignored row, mean",
        "0.693; 0 0 -0.5 0.5",
        _ignoring,
        F.cross_entropy,
        (_f([NAN, 0], [0, 0]), _k(-100, 0)),
    ),
    Corner(
        "cross_entropy: class weights that sum to 0, mean",
        "0; 0 0",
        lambda z, k: weighted_mean(_ce(z, k), torch.zeros(1)),
        lambda z, k: F.cross_entropy(z, k, weight=torch.zeros(2)),
        (torch.zeros(1, 2), _k(0)),
    ),
    Corner(
        "cross_entropy: an empty batch, mean",
        "0; empty",
        lambda z, k: mean(_ce(z, k)),
        F.cross_entropy,
        (torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)),
    ),
    Corner("binary_cross_entropy: logits of 1e4", "1e+04 0; 1 0", _bce, _torch_bce, (_f(1e4, 1e4), _f(0, 1))),
    Corner("binary_cross_entropy: right and certain, z = 20", "2.06e-09; -2.06e-09", _bce, _torch_bce, (_f(20), _f(1))),
    Corner("binary_cross_entropy: infinite and wrong", "inf inf; 1 -1", _bce, _torch_bce, (_f(INF, -INF), _f(0, 1))),
    Corner("binary_cross_entropy: infinite and right", "0 0; 0 0", _bce, _torch_bce, (_f(INF, -INF), _f(1, 0))),
    # probabilities
    Corner(
        "kl_divergence: target 0 at log q = -inf",
        "0; -1 0",
        losses.kl_divergence,
        lambda log_q, p: F.kl_div(log_q, p, reduction="sum"),
        (_f(0, -INF), _f(1, 0)),
    ),
    Corner(
        "binary_cross_entropy_on_probabilities: p = 1, label 0",
        "100; 1e+12",
        losses.binary_cross_entropy_on_probabilities,
        _none(F.binary_cross_entropy),
        (_f(1), _f(0)),
    ),
    # real numbers
    Corner("absolute_error: no residual", "0; 0", losses.absolute_error, _none(F.l1_loss), (_f(1), _f(1))),
    Corner("absolute_error: inf - inf", "nan; nan", losses.absolute_error, _none(F.l1_loss), (_f(INF), _f(INF))),
    Corner("squared_error: residual of 1e20", "inf; 2e+20", losses.squared_error, _none(F.mse_loss), (_f(1e20), _f(0))),
    Corner("huber: residual of 1e20", "1e+20; 1", losses.huber, _none(F.huber_loss), (_f(1e20), _f(0))),
    Corner("huber: residual exactly delta", "0.5; 1", losses.huber, _none(F.huber_loss), (_f(1), _f(0))),
    Corner(
        "squared_error, float16: residual of 300",
        "inf; 600",
        losses.squared_error,
        _none(F.mse_loss),
        (_f(300, dtype=_half), _f(0, dtype=_half)),
    ),
    Corner(
        "gaussian_nll: variance 0, held at 1e-6",
        "-6.41; 1e+03",
        lambda pred, target: losses.gaussian_nll(pred, torch.zeros(1), target),
        lambda pred, target: F.gaussian_nll_loss(pred, target, torch.zeros(1), reduction="none"),
        (_f(1e-3), _f(0)),
    ),
    Corner(
        "ctc: one step for two labels",
        "inf; 0 0 0",
        losses.ctc,
        lambda z, *a: F.ctc_loss(z.log_softmax(-1).movedim(0, 1), *a, reduction="none"),
        (torch.zeros(1, 1, 3), _k([1, 2]), _k(1), _k(2)),
    ),
    # margins
    Corner(
        "margin_ranking: exactly at the margin",
        "0; 0",
        lambda a, b, y: losses.margin_ranking(a, b, y, margin=1.0),
        _none(F.margin_ranking_loss, margin=1.0),
        (_f(1), _f(0), _k(1)),
    ),
    Corner(
        "hinge_embedding: exactly at the margin",
        "0; 0",
        losses.hinge_embedding,
        _none(F.hinge_embedding_loss),
        (_f(1), _k(-1)),
    ),
    Corner(
        "triplet: exactly at the margin",
        "0; 0 0",
        lambda a, p, n: losses.triplet(a, p, n, eps=0.0),
        _none(F.triplet_margin_loss, eps=0.0),
        (_f([0, 0]), _f([1, 0]), _f([2, 0])),
    ),
    Corner(
        "cosine_embedding: exactly at the margin",
        "0; 0 0",
        losses.cosine_embedding,
        _none(F.cosine_embedding_loss),
        (_f([1, 0]), _f([0, 1]), _k(-1)),
    ),
    Corner(
        "cosine_embedding: a zero vector",
        "1; 0 0",
        losses.cosine_embedding,
        _none(F.cosine_embedding_loss),
        (_f([0, 0]), _f([1, 0]), _k(1)),
    ),
    Corner(
        "multi_margin: exactly at the margin",
        "0; 0 0",
        losses.multi_margin,
        _none(F.multi_margin_loss),
        (_f([1, 0]), _k(0)),
    ),
    Corner("soft_margin: score of -1e4", "1e+04; -1", losses.soft_margin, _none(F.soft_margin_loss), (_f(-1e4), _k(1))),
    # optimizers: one parameter that starts at 1
    _rule("Adam, float16: gradient 0", "1", optim.Adam(0.1), _Adam, 0.0, _half, lr=0.1),
    _rule("Adam, float16: gradient 1e-4, its square underflows", "0.9", optim.Adam(0.1), _Adam, 1e-4, _half, lr=0.1),
    _rule("Adam, float16: gradient 1e4, its square overflows", "0.9", optim.Adam(0.1), _Adam, 1e4, _half, lr=0.1),
    _rule("Adam, float32: gradient 1e-8, as small as eps", "0.95", optim.Adam(0.1), _Adam, 1e-8, lr=0.1),
    _rule("Adam, float32: gradient 1e-30", "1", optim.Adam(0.1), _Adam, 1e-30, lr=0.1),
    _rule("Adam: eps = 0, gradient 0", "1", optim.Adam(0.1, eps=0.0), _Adam, 0.0, lr=0.1, eps=0.0),
    _rule("Adam: eps = 0, gradient 1e-24", "1", optim.Adam(0.1, eps=0.0), _Adam, 1e-24, lr=0.1, eps=0.0),
    _rule("Adam: one NaN gradient", "nan", optim.Adam(0.1), _Adam, NAN, lr=0.1),
    _rule("Adam, bfloat16: 100 steps of 0.001", "1", optim.Adam(1e-3), _Adam, 1.0, torch.bfloat16, 100, lr=1e-3),
    _rule(
        "AdamW, bfloat16: decay of 1e-5 per step, 100 steps",
        "1",
        optim.AdamW(1e-3),
        _AdamW,
        0.0,
        torch.bfloat16,
        100,
        lr=1e-3,
    ),
    _rule("RMSProp, float16: gradient 0", "1", optim.RMSProp(0.1), _RMSprop, 0.0, _half, lr=0.1),
    _rule(
        "RMSProp, centered: a constant gradient, 60 steps",
        "0.545",
        optim.RMSProp(1e-3, alpha=0.9, centered=True),
        _RMSprop,
        1.0,
        torch.float64,
        60,
        lr=1e-3,
        alpha=0.9,
        centered=True,
    ),
    _rule("AdaGrad, float16: gradient 0", "1", optim.AdaGrad(0.1), torch.optim.Adagrad, 0.0, _half, lr=0.1),
]
