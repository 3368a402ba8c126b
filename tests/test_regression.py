"""What the regression losses promise: known values, minimisers, limits, kinks, extremes, bad input."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from arrays import assert_near

from lessons_lib import bridge
from lessons_lib.core import mean, weighted_mean
from lessons_lib.losses import (
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

RNG = np.random.default_rng(0)
R = np.array([-3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 4.0])  # residuals
O = np.zeros(7)


def full(a, number):
    return np.full_like(a, number)


# Absolute error, Huber and their kin


def test_by_hand():
    assert_near(absolute_error(R, O).value, [3, 1, 0.25, 0, 0.5, 1, 4])
    assert_near(absolute_error(R, O).grad, [-1, -1, -1, 0, 1, 1, 1])
    assert_near(huber(R, O).value, [2.5, 0.5, 0.03125, 0, 0.125, 0.5, 3.5])
    assert_near(huber(R, O).grad, [-1, -1, -0.25, 0, 0.5, 1, 1])
    assert_near(huber(R, O, delta=2.0).value, [4, 0.5, 0.03125, 0, 0.125, 0.5, 6])
    assert_near(huber(R, O, delta=2.0).grad, [-2, -1, -0.25, 0, 0.5, 1, 2])
    assert_near(smooth_l1(R, O, beta=2.0).value, [2, 0.25, 0.015625, 0, 0.0625, 0.25, 3])
    assert_near(smooth_l1(R, O, beta=2.0).grad, [-1, -0.5, -0.125, 0, 0.25, 0.5, 1])
    assert_near(quantile_loss(R, O, q=0.75).value, [2.25, 0.75, 0.1875, 0, 0.125, 0.25, 1])
    assert_near(quantile_loss(R, O, q=0.75).grad, [-0.75, -0.75, -0.75, 0, 0.25, 0.25, 0.25])


def test_only_the_difference_counts():
    y = RNG.normal(size=7)
    for loss in (squared_error, absolute_error, huber, smooth_l1, log_cosh, quantile_loss):
        assert_near(loss(y + R, y).value, loss(R, O).value, atol=1e-12)
        assert_near(loss(R, O).value, loss(-R, O).value)  # q = 1/2 has no preferred side
        assert_near(loss(R, O).grad, -loss(-R, O).grad)


def test_huber_lies_between_the_squared_and_the_absolute_error():
    assert_near(huber(R, O, delta=10.0).value, squared_error(R, O).value / 2)
    assert_near(huber(R, O, delta=1e-9).value / 1e-9, absolute_error(R, O).value, atol=1e-9)
    assert (huber(R, O, delta=0.7).value <= 0.7 * absolute_error(R, O).value).all()
    for beta in (0.3, 2.0):
        assert_near(smooth_l1(R, O, beta).value, huber(R, O, beta).value / beta)
        assert_near(smooth_l1(R, O, beta).grad, huber(R, O, beta).grad / beta)
    assert_near(smooth_l1(R, O, 0.0).value, absolute_error(R, O).value)
    assert_near(smooth_l1(R, O, 0.0).grad, absolute_error(R, O).grad)


@pytest.mark.parametrize("loss", [huber, smooth_l1])
def test_the_pieces_of_huber_meet_without_a_kink(loss):
    at = np.array([-0.7, 0.7])
    for step in (1e-9, -1e-9):
        assert_near(loss(at * (1 + step), 0 * at, 0.7).value, loss(at, 0 * at, 0.7).value, rtol=1e-8)
        assert_near(loss(at * (1 + step), 0 * at, 0.7).grad, loss(at, 0 * at, 0.7).grad, rtol=1e-8)


def test_log_cosh_is_a_parabola_nearby_and_a_cone_from_afar():
    r = np.array([1e-8, 1e-4, 1e-2])
    assert_near(log_cosh(r, 0 * r).value, r**2 / 2, rtol=1e-4, atol=0)
    assert_near(log_cosh(1e3 * R, O).value, 1e3 * np.abs(R) - math.log(2) * (R != 0))
    small = np.array([1e-4], dtype=np.float32)
    # |r| + log1p(exp(-2|r|)) - log(2) would round to 0
    assert_near(log_cosh(small, 0 * small).value, 5e-9, rtol=1e-6, atol=0)
    around_1 = np.array([np.nextafter(1.0, 0.0), 1.0])
    assert_near(log_cosh(around_1, np.zeros(2)).value, math.log(math.cosh(1)), rtol=1e-15)
    assert (log_cosh(R, O).value <= np.minimum(R**2 / 2, np.abs(R))).all()


def best(loss, target, candidates):
    """The constant prediction of the least mean loss."""
    return min(candidates, key=lambda c: mean(loss(np.full_like(target, c), target)).value)


def test_minimisers():
    y = np.array([1.0, 2.0, 4.0, 8.0, 100.0])
    assert_near(mean(squared_error(full(y, 23.0), y)).grad.sum(), 0)  # the mean
    assert best(absolute_error, y, y) == 4  # the median
    assert [best(lambda p, t, q=q: quantile_loss(p, t, q), y, y) for q in (0.1, 0.3, 0.5, 0.7, 0.9)] == list(y)
    assert_near(huber(full(y, 5.0), y, delta=5.0).grad.sum(), 0)  # 4 + 3 + 1 - 3, and the outlier pulls with -5 only


def test_the_best_quantile_leaves_a_share_q_below():
    y = RNG.normal(size=1000)
    for q in (0.1, 0.5, 0.975):
        assert (y < best(lambda p, t, q=q: quantile_loss(p, t, q), y, y)).mean() == pytest.approx(q, abs=0.0015)


def test_several_quantiles_at_once():
    q = np.array([0.1, 0.5, 0.9])
    p, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
    together = quantile_loss(p, y, q)
    for i in range(3):
        assert_near(together.value[:, i], quantile_loss(p[:, i], y[:, i], float(q[i])).value)
        assert_near(together.grad[:, i], quantile_loss(p[:, i], y[:, i], float(q[i])).grad)
    assert_near(quantile_loss(p, y).value, absolute_error(p, y).value / 2)
    half = quantile_loss(p.astype(np.float32), y.astype(np.float32), q)
    assert half.value.dtype == half.grad.dtype == np.float32  # whatever dtype q has


def test_weights():
    p, y, w = RNG.normal(size=6), RNG.normal(size=6), RNG.random(6)
    for loss in (squared_error, absolute_error, huber):
        assert_near(weighted_mean(loss(p, y), w).value, (w * loss(p, y).value).sum() / w.sum())
    tensors = torch.tensor(p), torch.tensor(y)
    theirs = F.huber_loss(*tensors, weight=torch.tensor(w))
    assert_near(theirs, (w * huber(p, y).value).mean())  # by the number of values, not by the weights


# Likelihoods

LOG_2PI = math.log(2 * math.pi)


def test_gaussian_by_hand():
    loss = gaussian_nll(np.array([1.0, 5.0]), np.array([1.0, 4.0]), np.array([1.0, 1.0]))
    assert_near(loss.value, [0, (math.log(4) + 4) / 2])
    assert_near(loss.grad.pred, [0, 1])
    assert_near(loss.grad.var, [0.5, (1 / 4 - 1) / 2])
    assert_near(gaussian_nll(O, 1.0, O, full=True).value, LOG_2PI / 2)


def test_densities_sum_to_1():
    x = np.linspace(-60, 60, 240_001)
    zero, step = np.zeros_like(x), x[1] - x[0]
    for loss in (
        gaussian_nll(zero + 0.3, 2.5, x, full=True),
        laplace_nll(zero + 0.3, 1.7, x),
        barron_nll(zero + 0.3, 2.0, 1.7, x),
        barron_nll(zero + 0.3, 1.0, 1.7, x),
    ):
        assert_near(np.exp(-loss.value).sum() * step, 1, rtol=1e-6)
    k = np.arange(60.0)
    rate = full(k, math.log(9.0))
    assert_near(np.exp(-poisson_nll(rate, k).value) @ [1 / math.factorial(int(i)) for i in k], 1)
    assert_near(np.exp(-poisson_nll(rate, k, full=True).value).sum(), 1, rtol=0.02)  # Stirling is an approximation


def test_the_best_spread_is_the_one_seen():
    r = RNG.normal(size=50)
    var, scale = (r**2).mean(), np.abs(r).mean()
    assert_near(gaussian_nll(r, var, 0 * r).grad.var.sum(), 0, atol=1e-12)
    assert_near(laplace_nll(r, scale, 0 * r).grad.scale.sum(), 0, atol=1e-12)
    assert gaussian_nll(r, var / 2, 0 * r).grad.var.sum() < 0 < gaussian_nll(r, 2 * var, 0 * r).grad.var.sum()
    assert laplace_nll(r, scale / 2, 0 * r).grad.scale.sum() < 0 < laplace_nll(r, 2 * scale, 0 * r).grad.scale.sum()


def test_at_a_fixed_spread_they_are_the_squared_and_the_absolute_error():
    assert_near(gaussian_nll(R, 1.0, O).value, squared_error(R, O).value / 2)
    assert_near(gaussian_nll(R, 1.0, O).grad.pred, squared_error(R, O).grad / 2)
    assert_near(laplace_nll(R, 0.5, O).value, 2 * absolute_error(R, O).value)
    assert_near(laplace_nll(R, 0.5, O).grad.pred, 2 * absolute_error(R, O).grad)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_a_variance_below_eps_counts_as_eps_and_keeps_a_gradient(dtype, eps):
    var = torch.tensor([0.0, eps / 10, eps, 3.0], dtype=dtype)
    pred, target = torch.tensor([1.0, 0.5, -1.0, 2.0], dtype=dtype), torch.zeros(4, dtype=dtype)
    ours = gaussian_nll(pred, var, target, eps=eps)
    leaves = pred.clone().requires_grad_(), var.clone().requires_grad_()
    theirs = F.gaussian_nll_loss(leaves[0], target, leaves[1], eps=eps, reduction="none")
    theirs.sum().backward()
    assert_near(ours.value, theirs.detach(), rtol=1e-6)
    assert_near(ours.grad.pred, leaves[0].grad, rtol=1e-6)
    assert_near(ours.grad.var, leaves[1].grad, rtol=1e-6)
    assert_near(ours.value[:1], (math.log(eps) + 1 / eps) / 2, rtol=1e-6)
    assert_near(ours.grad.var[:1], (1 / eps - 1 / eps**2) / 2, rtol=1e-6)  # -5e11 at the default
    assert gaussian_nll(0 * pred, var, target, eps=eps).grad.var[0] > 0  # and a residual of 0 shrinks it further


def test_poisson_by_hand():
    z, y = np.log([2.0, 2.0, 5.0]), np.array([0.0, 3.0, 5.0])
    loss = poisson_nll(z, y)
    assert_near(loss.value, [2, 2 - 3 * math.log(2), 5 - 5 * math.log(5)])
    assert_near(loss.grad, [2, -1, 0], atol=1e-14)  # least where the rate is the count
    rates = poisson_nll(np.exp(z), y, log_input=False)
    assert_near(rates.value, loss.value, atol=5e-8)  # eps
    assert_near(rates.grad, loss.grad / np.exp(z), atol=1e-8)


def test_stirling_begins_above_1_and_is_near_the_factorial():
    y = np.array([0.0, 0.5, 1.0, np.nextafter(1.0, 2.0), 2.0, 10.0, 170.0])
    extra = poisson_nll(0 * y, y, full=True).value - poisson_nll(0 * y, y).value
    assert_near(extra[:3], 0)
    assert_near(extra[3], LOG_2PI / 2 - 1)
    assert_near(extra[4:], [math.lgamma(k + 1) for k in y[4:]], rtol=0.06)
    assert_near(extra[6], math.lgamma(171), rtol=1e-5)
    assert_near(poisson_nll(0 * y, y, full=True).grad, poisson_nll(0 * y, y).grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_rate_of_0_is_finite(dtype):
    zero, y = torch.zeros(2, dtype=dtype), torch.tensor([0.0, 2.0], dtype=dtype)
    loss = poisson_nll(zero, y, log_input=False)
    assert loss.value.tolist() == pytest.approx([0, -2 * math.log(1e-8)], rel=5e-3) and loss.grad[0] == 1
    if dtype == torch.float16:  # there 1e-8 is 0
        assert F.poisson_nll_loss(zero, y, log_input=False, reduction="none")[0].isnan()


# Barron's family


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_barron_at_its_named_shapes(scale):
    x = (R / scale) ** 2
    for alpha, value in {
        2.0: x / 2,
        1.0: np.sqrt(x + 1) - 1,
        0.0: np.log(x / 2 + 1),
        -2.0: 2 * x / (x + 4),
        -math.inf: 1 - np.exp(-x / 2),
        4.0: ((x / 2 + 1) ** 2 - 1) / 2,
    }.items():
        assert_near(barron(R, alpha, scale, O).value, value)
    assert_near(barron(R, 2.0, scale, O).grad.pred, R / scale**2)
    assert_near(barron(R, 0.0, scale, O).grad.pred, 2 * R / (R**2 + 2 * scale**2))
    assert_near(barron(R, -math.inf, scale, O).grad.pred, R / scale**2 * np.exp(-x / 2))


@pytest.mark.parametrize("alpha", [2.0, 0.0, -math.inf])
def test_barron_is_smooth_where_its_formula_divides_by_0(alpha):
    at = barron(R, alpha, 1.3, O)
    sides = (-1e12,) if math.isinf(alpha) else (alpha - 1e-11, alpha + 1e-11)
    for side in sides:
        loss = barron(R, side, 1.3, O)
        assert_near(loss.value, at.value, rtol=1e-9)
        assert_near(loss.grad.pred, at.grad.pred, rtol=1e-9)
        assert_near(loss.grad.scale, at.grad.scale, rtol=1e-9)
        assert np.isfinite(loss.grad.alpha).all() and np.isfinite(at.grad.alpha).all()
        if alpha != 2:
            assert_near(loss.grad.alpha, at.grad.alpha, rtol=1e-9, atol=1e-11)


ALPHAS = [1e-3, 0.5, 1.0, 1.5, 1.99]
OTHER_ALPHAS = [-1e4, -40.0, -2.0, -1e-3, 0.0, 2.01, 3.0]


@pytest.mark.parametrize(
    ("loss", "alpha"), [(barron, a) for a in OTHER_ALPHAS + ALPHAS] + [(barron_nll, a) for a in ALPHAS]
)
def test_the_slope_in_alpha_and_scale(loss, alpha):
    h = 1e-5 * max(1, abs(alpha)) if abs(alpha - 2) > 0.1 else 1e-6
    found = loss(R, alpha, 1.3, O).grad
    assert_near(
        found.alpha, (loss(R, alpha + h, 1.3, O).value - loss(R, alpha - h, 1.3, O).value) / (2 * h), 1e-6, 1e-8
    )
    assert_near(
        found.scale, (loss(R, alpha, 1.3 + 1e-6, O).value - loss(R, alpha, 1.3 - 1e-6, O).value) / 2e-6, 1e-6, 1e-8
    )


def test_the_slope_in_alpha_grows_like_a_logarithm_towards_2():
    """(x / 4) (log(x / |alpha - 2|) - 2), the same from both sides, and finite at 2 itself."""
    for gap in (1e-9, 1e-6):
        for alpha in (2 - gap, 2 + gap):
            assert_near(
                barron(R, alpha, 1.0, O).grad.alpha[4:], R[4:] ** 2 / 4 * (np.log(R[4:] ** 2 / gap) - 2), rtol=1e-4
            )
    at_2 = barron(R, 2.0, 1.0, O).grad.alpha
    assert np.isfinite(at_2).all() and at_2[3] == 0


def test_a_larger_alpha_costs_more_and_one_below_1_lets_go_of_outliers():
    alphas = [-math.inf, -1000.0, -2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0]
    values = [barron(R[R != 0], a, 1.0, O[:6]).value for a in alphas]
    assert all((low < high).all() for low, high in pairwise(values))
    far = np.array([5.0, 50.0, 500.0])
    pulls = {a: barron(far, a, 1.0, 0 * far).grad.pred for a in (-math.inf, 0.0, 1.0, 2.0)}
    assert_near(pulls[2.0], far)
    assert_near(pulls[1.0], 1, rtol=0.02)
    assert_near(pulls[0.0] * far, 2, rtol=0.1)
    assert pulls[-math.inf][0] < 1e-4 and pulls[-math.inf][2] == 0


def test_the_partition_function():
    at_0 = {a: float(barron_nll(np.zeros(1), a, 1.0, np.zeros(1)).value[0]) for a in (0.0, 1.0, 2.0)}
    assert at_0[2.0] == pytest.approx(LOG_2PI / 2, rel=1e-14)
    assert at_0[0.0] == pytest.approx(math.log(math.pi * math.sqrt(2)), rel=1e-14)
    assert at_0[1.0] == pytest.approx(math.log(2 * math.e * 0.6019072301972346), rel=1e-14)  # 2 e K_1(1)
    assert_near(barron_nll(R, 2.0, 1.5, O).value, gaussian_nll(R, 1.5**2, O, full=True).value)


def test_scaling_the_data_scales_the_density():
    assert_near(barron_nll(3 * R, 0.7, 3 * 1.2, O).value, barron_nll(R, 0.7, 1.2, O).value + math.log(3))
    assert_near(barron(3 * R, 0.7, 3 * 1.2, O).value, barron(R, 0.7, 1.2, O).value)


def test_learning_alpha_from_the_data():
    """Clean data want alpha near 2, data with outliers one near 0. Without log Z both would want the least alpha."""
    clean = np.random.default_rng(1).normal(size=2000)
    dirty = np.where(np.arange(2000) % 5 == 0, 20 * clean, clean)
    alphas = np.linspace(0, 2, 21)
    for data, low, high in ((clean, 1.8, 2), (dirty, 0, 0.5)):
        nll = [min(mean(barron_nll(data, a, c, 0 * data)).value for c in (0.6, 0.8, 1.0, 1.3)) for a in alphas]
        assert low <= alphas[np.argmin(nll)] <= high
        assert mean(barron(data, 0.0, 1.0, 0 * data)).value < mean(barron(data, 2.0, 1.0, 0 * data)).value


def test_shared_options_are_spread_and_autograd_sums_them_back():
    p, y = torch.tensor(RNG.normal(size=(4, 3))), torch.zeros(4, 3, dtype=torch.float64)
    for loss, shapes in (
        (gaussian_nll, [(), (4, 1), (1, 3), (1, 1)]),
        (laplace_nll, [(), (4, 1), (1, 3)]),
        (barron, [(), (4, 1), (1, 3)]),
        (barron_nll, [(), (4, 1), (1, 3)]),
    ):
        for shape in shapes:
            spread = 0.5 + torch.tensor(RNG.random(shape))
            others = (spread, spread.flip(-1) if shape else 2 * spread) if "barron" in loss.__name__ else (spread,)
            whole = loss(p, *(a.expand(4, 3) if shape else a.broadcast_to(4, 3) for a in others), y)
            assert_near(loss(p, *others, y).value, whole.value)
            leaves = [a.clone().requires_grad_() for a in (p, *others)]
            bridge.as_autograd(loss)(*leaves, y).sum().backward()
            for leaf, each in zip(leaves, whole.grad, strict=True):
                assert_near(leaf.grad, each.sum_to_size(leaf.shape))


def test_the_dtype_is_that_of_the_prediction_whatever_an_option_has():
    p = R.astype(np.float32)
    for loss in (gaussian_nll, laplace_nll):
        found = loss(p, np.ones(7), 0 * p)
        assert {a.dtype for a in (found.value, *found.grad)} == {p.dtype}
    for loss in (barron, barron_nll):
        found = loss(p, np.ones(1), np.ones(7), 0 * p)
        assert {a.dtype for a in (found.value, *found.grad)} == {p.dtype}


# All of them

PLAIN = {
    "squared_error": squared_error,
    "absolute_error": absolute_error,
    "huber": huber,
    "smooth_l1": smooth_l1,
    "log_cosh": log_cosh,
    "quantile_loss": quantile_loss,
    "gaussian_nll": lambda p, y: gaussian_nll(p, 1.0, y),
    "laplace_nll": lambda p, y: laplace_nll(p, 1.0, y),
    "poisson_nll": poisson_nll,
    "barron": lambda p, y: barron(p, 1.0, 1.0, y),
    "barron_nll": lambda p, y: barron_nll(p, 1.0, 1.0, y),
}


def in_pred(loss):
    return loss.grad[0] if isinstance(loss.grad, tuple) else loss.grad


@pytest.mark.parametrize("name", PLAIN)
def test_shapes_and_kinds(name):
    loss, square, row = PLAIN[name], np.ones((3, 1)), np.ones(3)
    with pytest.raises(ValueError, match=r"pred \(3, 1\), target \(3,\)"):  # PyTorch broadcasts to 9 terms
        loss(square, row)
    for shape in ((), (0,), (2, 0), (2, 1, 3)):
        found = loss(np.ones(shape), np.ones(shape))
        assert np.shape(found.value) == np.shape(in_pred(found)) == shape
    assert mean(loss(np.ones(0), np.ones(0))).value == 0


@pytest.mark.parametrize("name", PLAIN)
def test_nan_is_not_hidden(name):
    for p, y in ((math.nan, 1.0), (1.0, math.nan)):
        if name == "poisson_nll" and y != y:
            continue  # an error, below
        found = PLAIN[name](np.full(1, p), np.full(1, y))
        assert np.isnan(found.value).all() and np.isnan(in_pred(found)).all()


@pytest.mark.parametrize("name", [n for n in PLAIN if n not in ("poisson_nll", "gaussian_nll", "squared_error")])
def test_a_residual_of_1e20_in_float32_pulls_with_a_finite_slope(name):
    p, y = np.array([1e20, -1e20], dtype=np.float32), np.zeros(2, dtype=np.float32)
    found = PLAIN[name](p, y)
    slope = 0.5 if name == "quantile_loss" else 1.0
    assert_near(found.value, slope * 1e20, rtol=1e-5)
    assert_near(in_pred(found), [slope, -slope], rtol=1e-5)
    assert found.value.dtype == in_pred(found).dtype == np.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_square_past_float16_survives_to_the_mean(dtype):
    p, y = torch.tensor([300.0, 0.0], dtype=dtype), torch.zeros(2, dtype=dtype)
    assert squared_error(p, y).grad.tolist() == [600, 0]
    assert squared_error(p, y).value[0] == torch.tensor(9e4).to(dtype)  # inf in float16: 90000 does not exist there
    assert gaussian_nll(p, 1e4, y).value[0] == torch.tensor((math.log(1e4) + 9) / 2).to(dtype)
    assert huber(p, y).value[0] == torch.tensor(299.5).to(dtype) and huber(p, y).grad[0] == 1


def test_infinite_residuals():
    inf = np.array([math.inf, -math.inf])
    for loss in (absolute_error, huber, smooth_l1, log_cosh):
        assert_near(loss(inf, np.zeros(2)).value, math.inf)
        assert_near(loss(inf, np.zeros(2)).grad, [1, -1])
        with np.errstate(invalid="ignore"):
            assert np.isnan(loss(inf, inf).value).all()


OUTLIERS = [(barron, 0.0, math.log(5e39)), (barron, -2.0, 2.0), (barron, -math.inf, 1.0)]


@pytest.mark.parametrize(("loss", "alpha", "value"), OUTLIERS)
def test_barron_of_1e20_in_float32(loss, alpha, value):
    found = loss(np.full(1, 1e20, dtype=np.float32), alpha, 1.0, np.zeros(1, dtype=np.float32))
    assert_near(found.value, value, rtol=1e-5)
    assert all(np.isfinite(g).all() and g.dtype == np.float32 for g in found.grad)


V, K, ONE = np.ones(4), np.ones(4, dtype=int), np.ones((4, 3))
NUMBERS = (0, -1.0, math.nan, math.inf)

BAD = [
    *[(lambda d=d: huber(V, V, d), ValueError, f"delta={d} is not allowed; .* > 0") for d in NUMBERS],
    *[(lambda b=b: smooth_l1(V, V, b), ValueError, f"beta={b} is not allowed") for b in NUMBERS[1:]],
    *[
        (lambda q=q: quantile_loss(V, V, q), ValueError, rf"q={q} is not allowed; it must lie in \(0, 1\)")
        for q in (0, 1, -0.1, 1.5, math.nan)
    ],
    (lambda: quantile_loss(V, V, np.array([0.1, 0.5, 0.9, 1.0])), ValueError, r"q must lie in \(0, 1\).*got 1.0"),
    (lambda: quantile_loss(V, V, V[:3] / 2), ValueError, r"q must be .* shaped like pred, \(4,\).*got shape \(3,\)"),
    (lambda: quantile_loss(V, V, V[:, None] / 2), ValueError, r"q must be .*got shape \(4, 1\)"),
    *[(lambda e=e: gaussian_nll(V, V, V, eps=e), ValueError, f"eps={e} is not allowed") for e in NUMBERS],
    (lambda: gaussian_nll(V, np.array([1.0, 1.0, -1e-9, 1.0]), V), ValueError, "var.* >= 0"),
    (lambda: gaussian_nll(V, -1.0, V), ValueError, "var.* >= 0"),
    *[
        (
            lambda f=f, shape=shape: f(ONE, np.ones(shape), ONE),
            ValueError,
            rf"{name} must be a number or shaped like pred, \(4, 3\), with 1 .* got shape \({shape[0]},",
        )
        for f, name in ((gaussian_nll, "var"), (laplace_nll, "scale"))
        for shape in ((4,), (3,), (4, 2), (1, 4, 3))
    ],
    *[(lambda b=b: laplace_nll(V, b, V), ValueError, "scale.* > 0") for b in (0.0, -1.0, 0 * V)],
    *[(lambda e=e: poisson_nll(V, V, eps=e), ValueError, f"eps={e} is not allowed") for e in NUMBERS],
    (lambda: poisson_nll(V, -V), ValueError, "target must hold finite numbers >= 0 and no NaN"),
    (lambda: poisson_nll(V, math.nan * V), ValueError, "target must hold finite numbers >= 0 and no NaN"),
    (lambda: poisson_nll(-V, V, log_input=False), ValueError, "pred must hold rates >= 0"),
    *[
        (lambda f=f, c=c: f(V, 1.0, c, V), ValueError, "scale.* > 0")
        for f in (barron, barron_nll)
        for c in (0.0, -1.0, math.nan, 0 * V)
    ],
    *[(lambda f=f: f(V, math.nan, 1.0, V), ValueError, "alpha=nan is not allowed") for f in (barron, barron_nll)],
    *[(lambda a=a: barron_nll(V, a, 1.0, V), ValueError, r"alpha.* must lie in \[0, 2\]") for a in (-0.1, 2.1, V - 2)],
    (lambda: barron(ONE, V, 1.0, ONE), ValueError, r"alpha must be .* \(4, 3\).* got shape \(4,\)"),
    (lambda: barron(ONE, 1.0, V, ONE), ValueError, r"scale must be .* \(4, 3\).* got shape \(4,\)"),
]


@pytest.mark.parametrize(("call", "error", "says"), BAD)
def test_bad_input(call, error, says):
    with pytest.raises(error, match=says):
        call()
