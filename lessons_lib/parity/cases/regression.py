"""Losses on real numbers, and negative log-likelihoods of real numbers and counts."""

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from ...core import Loss, array_namespace, in_first_dtype, mean, total, weighted_mean
from ...losses import (
    absolute_error,
    barron,
    barron_nll,
    gaussian_nll,
    huber,
    laplace_nll,
    log_cosh,
    poisson_nll,
    quantile_loss,
    smooth_l1,
    squared_error,
)
from ._case import LossCase, like, option_case, reductions, scaled

QUANTILES = [0.125, 0.5, 0.875]  # one per column, all exact in binary
PER_COLUMN = [0.5, -2.0, 1.25]


class PredAndScale(NamedTuple):
    pred: Any
    scale: Any


def _real(rng):
    return 3 * rng.normal(size=(4, 3)), rng.normal(size=(4, 3))


def _weighted(rng):
    return *_real(rng), 0.5 + rng.random((4, 3))


def _positive(rng):
    return 3 * rng.normal(size=(4, 3)), 0.1 + 3 * rng.random((4, 3)), rng.normal(size=(4, 3))


def _one_per_row(rng):
    pred, spread, target = _positive(rng)
    return pred, spread[:, :1], target


def _log_rates(rng):
    """Rates mostly below 1, so that exp(z) and -y z add up in a sum instead of cancelling."""
    return rng.normal(size=(4, 3)) - 1.5, rng.poisson(3.0, (4, 3)).astype(float)


def _rates(rng):
    return 0.1 + 4 * rng.random((4, 3)), rng.poisson(3.0, (4, 3)).astype(float)


def _counts_around_1(rng):
    """Stirling's term begins above 1, and counts need not be whole."""
    return rng.normal(size=(7,)), rng.permutation([0.0, 0.5, 1.0, 1.25, 2.0, 7.0, 300.0])


def _shaped(low, high):
    """Draws pred, alpha in [low, high], scale and target. The plain formula divides by alpha and by alpha - 2."""

    def draw(rng):
        pred, scale, target = _positive(rng)
        return pred, low + (high - low) * rng.random((4, 3)), 0.5 + scale, target

    return draw


def _reduce(each, reduction):
    return each if reduction == "none" else getattr(each, reduction)()


def _torch_log_cosh(pred, target, reduction="none"):
    return _reduce((pred - target).cosh().log(), reduction)


def _torch_quantile(pred, target, q=0.5, reduction="none"):
    return _reduce(torch.maximum(q * (target - pred), (1 - q) * (pred - target)), reduction)


def _torch_gaussian(pred, var, target, **options):
    return F.gaussian_nll_loss(pred, target, var, **options)


def _torch_laplace(pred, scale, target, reduction="none"):
    return _reduce(-torch.distributions.Laplace(pred, scale).log_prob(target), reduction)


def _torch_barron(pred, alpha, scale, target, reduction="none"):
    """The formula as it stands; alpha must be neither 0 nor 2."""
    x, b = ((pred - target) / scale).square(), (alpha - 2).abs()
    return _reduce(b / alpha * ((x / b + 1).pow(alpha / 2) - 1), reduction)


def _torch_barron_nll(pred, alpha, scale, target, reduction="none"):
    """Z by a fine sum over x = sinh(t)."""
    t = torch.arange(-1480, 1481, dtype=torch.float64, device=pred.device) / 40
    density = torch.exp(-_torch_barron(t.sinh(), alpha.double()[..., None], 1.0, 0.0)) * t.cosh()
    log_z = (density.sum(-1) / 40).log().to(pred.dtype)
    return _reduce(_torch_barron(pred, alpha, scale, target) + scale.log() + log_z, reduction)


def _torch_at(limit):
    """What the general loss becomes at one alpha, from x = ((pred - target) / scale)^2."""
    return lambda pred, scale, target: limit(((pred - target) / scale).square())


def _at(ours, alpha):
    """Ours at a fixed alpha, differentiated in pred and scale."""

    def fixed(pred, scale, target):
        loss = ours(pred, alpha, scale, target)
        return Loss(loss.value, PredAndScale(loss.grad.pred, loss.grad.scale))

    return fixed


def _of_pred(ours, *fixed):
    """Ours with its other differentiable arguments fixed."""

    def of_pred(pred, target):
        loss = ours(pred, *fixed, target)
        return Loss(loss.value, loss.grad.pred)

    return of_pred


def _summed_per_row(ours, **options):
    """The sum over the batch of ours, where each row of pred shares one spread."""

    @in_first_dtype
    def summed(pred, spread, target):
        loss = total(ours(pred, spread, target, **options))
        xp = array_namespace(pred)
        return Loss(loss.value, type(loss.grad)(loss.grad[0], xp.sum(loss.grad[1], axis=-1, keepdims=True)))

    return summed


def _weight(name, ours, theirs, weigh, far=1e4):
    """`weight` of the functional form, with reduction "mean"."""
    return LossCase(
        name,
        "weight",
        _weighted,
        lambda p, y, w: weigh(ours(p, y), w),
        lambda p, y, w: theirs(p, y, weight=w),
        far=far,
    )


def _weigh_by_count(loss, w):
    """Only F.huber_loss divides its weighted mean by the number of values."""
    return mean(scaled(loss, w))


_real_huber = (_real, huber, F.huber_loss)
_real_smooth = (_real, smooth_l1, F.smooth_l1_loss)
_normal = (_positive, gaussian_nll, _torch_gaussian)
_counts = (poisson_nll, F.poisson_nll_loss)
_root_far: dict[str, Any] = {"far": 100}  # the square of a larger residual leaves float16
_exp_far = {"far": 10}  # exp(11.1) leaves float16

CASES: list[LossCase] = [
    *reductions("squared_error", _real, squared_error, F.mse_loss, **_root_far),
    _weight("squared_error", squared_error, F.mse_loss, weighted_mean, **_root_far),
    *reductions("absolute_error", _real, absolute_error, F.l1_loss),
    _weight("absolute_error", absolute_error, F.l1_loss, weighted_mean),
    *reductions("huber", *_real_huber),
    option_case("huber", "delta", *_real_huber, delta=2.5),
    option_case("huber", "small delta", *_real_huber, delta=0.01),
    _weight("huber", huber, F.huber_loss, _weigh_by_count),
    *reductions("smooth_l1", *_real_smooth),
    option_case("smooth_l1", "beta", *_real_smooth, beta=2.5),
    option_case("smooth_l1", "beta=0", *_real_smooth, beta=0.0),
    *reductions("log_cosh", _real, log_cosh, _torch_log_cosh),
    *reductions("quantile_loss", _real, quantile_loss, _torch_quantile),
    option_case("quantile_loss", "q", _real, quantile_loss, _torch_quantile, q=0.9),
    LossCase(
        "quantile_loss",
        "several quantiles",
        _real,
        lambda p, y: quantile_loss(p, y, like(p, QUANTILES)),
        lambda p, y: _torch_quantile(p, y, like(p, QUANTILES)),
    ),
    *reductions("gaussian_nll", *_normal, inputs=2),
    option_case("gaussian_nll", "full", *_normal, inputs=2, full=True),
    LossCase(
        "gaussian_nll",
        "eps",
        _positive,
        lambda p, v, y: Loss((loss := gaussian_nll(p, v, y, eps=1.5)).value, loss.grad.pred),
        lambda p, v, y: _torch_gaussian(p, v, y, eps=1.5, reduction="none"),
        **_root_far,
    ),
    LossCase(
        "gaussian_nll",
        "one variance per row",
        _one_per_row,
        _summed_per_row(gaussian_nll, full=True),
        lambda p, v, y: _torch_gaussian(p, v, y, full=True, reduction="sum"),
        inputs=2,
    ),
    LossCase(
        "gaussian_nll",
        "a number as variance",
        _real,
        _of_pred(gaussian_nll, 2.5),
        lambda p, y: F.gaussian_nll_loss(p, y, 2.5, reduction="none"),
        **_root_far,
    ),
    *reductions("laplace_nll", _positive, laplace_nll, _torch_laplace, inputs=2),
    LossCase(
        "laplace_nll",
        "one scale per row",
        _one_per_row,
        _summed_per_row(laplace_nll),
        lambda p, b, y: _torch_laplace(p, b, y, reduction="sum"),
        inputs=2,
    ),
    *reductions("poisson_nll", _log_rates, *_counts, **_exp_far),
    option_case("poisson_nll", "full", _counts_around_1, *_counts, **_exp_far, full=True),
    option_case("poisson_nll", "log_input=False", _rates, *_counts, log_input=False),
    option_case("poisson_nll", "log_input=False, eps, full", _rates, *_counts, log_input=False, eps=0.7, full=True),
    # The plain formula's slope in alpha is a small difference of terms as large as b: it is the less exact of the two.
    *reductions("barron", _shaped(0.4, 1.6), barron, _torch_barron, inputs=3, allowed=64),
    option_case("barron", "alpha below 0", _shaped(-4, -0.5), barron, _torch_barron, inputs=3, allowed=256),
    option_case("barron", "alpha above 2", _shaped(2.5, 3), barron, _torch_barron, inputs=3),
    # Towards 2 the value is b exp(log(x / b)), which costs as many roundings as the logarithm is large.
    LossCase("barron", "alpha=2", _positive, _at(barron, 2.0), _torch_at(lambda x: x / 2), inputs=2, allowed=64),
    LossCase("barron", "alpha=0", _positive, _at(barron, 0.0), _torch_at(lambda x: torch.log1p(x / 2)), inputs=2),
    LossCase(
        "barron", "alpha=-inf", _positive, _at(barron, -math.inf), _torch_at(lambda x: 1 - torch.exp(-x / 2)), inputs=2
    ),
    LossCase(
        "barron",
        "numbers as alpha and scale",
        _real,
        _of_pred(barron, 0.5, 1.7),
        lambda p, y: _torch_barron(p, torch.full_like(p, 0.5), 1.7, y),
    ),
    LossCase(
        "barron",
        "one alpha per column",
        _real,
        lambda p, y: _of_pred(barron, like(p, [PER_COLUMN]), 1.7)(p, y),
        lambda p, y: _torch_barron(p, like(p, [PER_COLUMN]) + 0 * p, 1.7, y),
    ),
    # 2 is the largest alpha that barron_nll allows
    *reductions("barron_nll", _shaped(0.4, 1.6), barron_nll, _torch_barron_nll, inputs=3, far=2, allowed=64),
    LossCase(
        "barron_nll",
        "alpha=2 is a normal density",
        _positive,
        _at(barron_nll, 2.0),
        lambda p, s, y: -torch.distributions.Normal(p, s).log_prob(y),
        inputs=2,
        allowed=64,
    ),
]
