"""The rules of torch.optim beyond Adam, and the large-batch ones: laws, bad and extreme inputs, training."""

import copy
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib.bridge import TorchOptimizer
from lessons_lib.optim import (
    ASGD,
    LAMB,
    LARS,
    SGD,
    Adadelta,
    Adafactor,
    AdaGrad,
    Adam,
    Adamax,
    AdamW,
    AMSGrad,
    Muon,
    NAdam,
    RAdam,
    RMSProp,
    Rprop,
    SparseAdam,
    sam_gradient,
)
from lessons_lib.optim.muon import newton_schulz
from lessons_lib.parity.cases import TORCH

NEW = [AdaGrad, RMSProp, Adadelta, Rprop, ASGD, Adamax, NAdam, RAdam, SparseAdam, Adafactor, Muon, LARS, LAMB]
WITH_EPS = [AdaGrad, RMSProp, Adadelta, Adamax, NAdam, RAdam, SparseAdam, LAMB, Muon, Adam, AdamW, AMSGrad]
NO_DECAY = {AdamW: {"weight_decay": 0.0}, Muon: {"weight_decay": 0.0}, ASGD: {"lambd": 0.0}}
RNG = np.random.default_rng(0)


def path(rule, gradients, theta=None):
    """theta before the first step and after every step."""
    theta = np.zeros(np.shape(gradients[0])) if theta is None else theta
    state, points = rule.init(theta), [theta]
    for g in gradients:
        theta, state = rule.update(theta, g, state)
        points.append(theta)
    return np.array(points)


def steps(rule, gradients, theta=None):
    return np.diff(path(rule, gradients, theta), axis=0)


# Laws: rates from the gradients so far


def test_adagrad_under_a_constant_gradient_slows_down_like_the_root_of_time():
    g, t = np.array([1e-3, -2.0, 1e4]), np.arange(1, 31)[:, None]
    np.testing.assert_allclose(steps(AdaGrad(0.1, eps=0.0), [g] * 30), -0.1 * np.sign(g) / np.sqrt(t), rtol=1e-12)
    started = steps(AdaGrad(0.1, lr_decay=0.5, initial_accumulator_value=3.0, eps=0.0), [g] * 30)
    np.testing.assert_allclose(started, -0.1 / (1 + (t - 1) / 2) * g / np.sqrt(3 + t * g**2), rtol=1e-11)


def test_rmsprop_starts_long_because_nothing_corrects_its_start_at_0():
    g, t = np.array([1e-3, -2.0, 1e4]), np.arange(1, 31)[:, None]
    expected = -0.1 * np.sign(g) / np.sqrt(1 - 0.8**t)
    np.testing.assert_allclose(steps(RMSProp(0.1, alpha=0.8, eps=0.0), [g] * 30), expected, rtol=1e-12)
    first = steps(RMSProp(0.1, alpha=0.8, eps=0.0, centered=True), [g])
    np.testing.assert_allclose(first, -0.1 * np.sign(g)[None] / math.sqrt(0.2 - 0.2**2), rtol=1e-12)


def test_rmsprop_divides_before_its_momentum_sums():
    g = [np.array([4.0]), np.array([0.0])]
    first, second = steps(RMSProp(0.1, alpha=0.0, eps=0.0, momentum=0.5), g)
    assert first == pytest.approx(-0.1) and second == pytest.approx(-0.05)


def test_adadeltas_first_step_comes_from_eps_and_its_steps_from_those_before():
    g = np.array([0.5, -3.0])
    first, second = steps(Adadelta(2.0, rho=0.8, eps=0.01), [g, g])
    step = math.sqrt(0.01) / np.sqrt(0.2 * g**2 + 0.01) * g
    np.testing.assert_allclose(first, -2 * step, rtol=1e-13)
    again = np.sqrt(0.2 * step**2 + 0.01) / np.sqrt(0.36 * g**2 + 0.01) * g
    np.testing.assert_allclose(second, -2 * again, rtol=1e-13)


def test_rprop_sees_only_signs():
    gradients = RNG.normal(size=(40, 3))
    sizes = np.abs(RNG.normal(size=(40, 3))) + 1e-6
    np.testing.assert_array_equal(path(Rprop(0.1), gradients), path(Rprop(0.1), np.sign(gradients) * sizes))


def test_rprop_grows_waits_and_shrinks():
    g = np.array([2.0])
    grown = -0.1 * np.array([1, 1.2, 1.44, 1.5, 1.5])  # step_max ends the growth
    np.testing.assert_allclose(steps(Rprop(0.1, step_max=1.5 * 0.1), [g] * 5)[:, 0], grown, rtol=1e-12)
    turned = steps(Rprop(0.1), [g, -g, -g, -g])[:, 0]
    np.testing.assert_allclose(turned, [-0.1, 0.0, 0.05, 0.06], atol=1e-15)  # no move where the sign turned


def test_rprop_compares_signs_where_the_product_would_underflow():
    g = torch.full((1,), 1e-30)
    theta = path(Rprop(0.1), [g, g], torch.zeros(1))
    assert theta[-1] == pytest.approx(-0.22)  # PyTorch: -0.2, the product 1e-60 is 0 in float32


@pytest.mark.parametrize("t0", [0, 4])
def test_asgd_keeps_the_mean_of_the_points_after_t0(t0):
    rule, theta = ASGD(0.1, t0=t0), np.zeros(2)
    state, points = rule.init(theta), []
    for g in RNG.normal(size=(12, 2)):
        theta, state = rule.update(theta, g, state)
        points.append(theta)
        expected = np.mean(points[t0 + 1 :], axis=0) if len(points) > t0 + 1 else theta
        np.testing.assert_allclose(state.ax, expected, rtol=1e-13)


def test_asgds_rate_falls_and_its_average_is_steadier_than_its_last_point():
    falling = steps(ASGD(0.5, lambd=2.0, alpha=0.7), [np.ones(1)] * 5, np.zeros(1))
    assert falling[0] == pytest.approx(-0.5)
    before = path(ASGD(0.5, lambd=2.0, alpha=0.7), [np.ones(1)] * 5, np.zeros(1))[:5]
    eta = 0.5 / (1 + 2.0 * 0.5 * np.arange(5)[:, None]) ** 0.7
    np.testing.assert_allclose(falling, -eta * (1 + 2.0 * before), rtol=1e-12)
    rng, theta = np.random.default_rng(1), np.zeros(500)  # 500 noisy descents to 0 on x^2 / 2
    rule = ASGD(0.5, lambd=0.0, t0=50)
    state = rule.init(theta)
    for _ in range(400):
        theta, state = rule.update(theta, theta + rng.normal(size=500), state)
    assert state.ax.std() < theta.std() / 5


# Laws: Adam's relatives


def test_adamax_steps_are_never_longer_than_lr_without_momentum():
    gradients = RNG.normal(size=(50, 4)) * 10.0 ** RNG.integers(-5, 5, size=(50, 4))
    assert np.abs(steps(Adamax(0.1, beta1=0.0, eps=0.0), gradients)).max() <= 0.1 * (1 + 1e-12)
    g = np.array([1e-3, -2.0, 1e4])
    np.testing.assert_allclose(steps(Adamax(0.1, eps=0.0), [g] * 9), -0.1 * np.sign(g) * np.ones((9, 3)), rtol=1e-12)


def test_nadam_without_momentum_is_adam_and_its_momentum_warms_up():
    gradients = RNG.normal(size=(9, 3))
    ours, adam = (path(r(0.1, beta1=0.0), gradients) for r in (NAdam, Adam))
    np.testing.assert_allclose(ours, adam, rtol=1e-12)
    rule = NAdam(momentum_decay=1.0)
    assert rule.mu(0) == 0.45 and rule.mu(1) == pytest.approx(0.9 * 0.52) and rule.mu(1000) == pytest.approx(0.9)


def test_nadam_steps_by_lr_under_a_constant_gradient():
    """m_hat = mu_2 (1 - beta1) g / (1 - mu_1 mu_2) + g at the first step, where P_1 = mu_1."""
    rule, g = NAdam(0.1, eps=0.0, momentum_decay=0.0), np.array([3.0])  # every mu is 0.45
    assert steps(rule, [g])[0] == pytest.approx(-0.1 * (0.45 * 0.1 / (1 - 0.45**2) + 1), rel=1e-12)


def test_radam_is_momentum_for_five_steps_and_then_adam_with_a_shortened_step():
    g = np.array([0.5, -4.0])
    rule = RAdam(0.1, eps=0.0)
    moves = steps(rule, [g] * 40)
    np.testing.assert_allclose(moves[:5], -0.1 * g * np.ones((5, 2)), rtol=1e-12)
    r = np.array([rule.rectifier(t) for t in range(6, 41)])
    np.testing.assert_allclose(moves[5:], -0.1 * r[:, None] * np.sign(g), rtol=1e-10)
    assert (np.diff(r) > 0).all() and r[0] < 0.1 and rule.rectifier(100_000) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("rule", [NAdam, RAdam])
def test_decoupled_decay_alone_shrinks_theta_and_l2_does_not(rule):
    theta, nothing = RNG.normal(size=4), [np.zeros(4)] * 3
    decoupled = rule(0.1, weight_decay=0.5, decoupled_weight_decay=True)
    np.testing.assert_allclose(path(decoupled, nothing, theta)[-1], 0.95**3 * theta, rtol=1e-13)
    assert np.abs(path(rule(0.1, weight_decay=0.5), nothing, theta)[-1] - 0.95**3 * theta).max() > 1e-3


def test_sparse_adam_is_adam_where_every_row_is_visited():
    gradients = RNG.normal(size=(9, 4, 3))
    np.testing.assert_allclose(
        path(SparseAdam(0.1, eps=0.0), gradients), path(Adam(0.1, eps=0.0), gradients), rtol=1e-12
    )


def test_sparse_adam_leaves_rows_without_gradient_and_their_means_alone():
    rule, theta, g = SparseAdam(0.1), RNG.normal(size=(3, 2)), np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 3.0]])
    _, state = rule.update(theta, np.ones((3, 2)), rule.init(theta))
    moved, after = rule.update(theta, g, state)
    for old, new in ((theta, moved), (state.m, after.m), (state.v, after.v)):
        np.testing.assert_array_equal(old[1], new[1])
        assert (old[[0, 2]] != new[[0, 2]]).all()  # a 0 in a visited row still decays its means, and moves
    assert after.t == 2


# Laws: matrices and norms


def test_adafactor_is_exact_where_the_squares_have_rank_1():
    a, b, theta = RNG.normal(size=6), RNG.normal(size=4), RNG.normal(size=(6, 4))
    g = a[:, None] * b
    size = math.sqrt((theta**2).mean())
    first = steps(Adafactor(0.02, eps1=0.0), [g], theta)[0]
    np.testing.assert_allclose(first, -0.02 * size * np.sign(g), rtol=1e-12)  # v = g^2, so the step is a sign
    np.testing.assert_allclose(steps(Adafactor(0.02, eps1=0.0), [1e5 * g], theta)[0], first, rtol=1e-11)


def test_adafactor_knows_no_difference_between_rows_and_columns_and_keeps_little():
    gradients, theta = RNG.normal(size=(5, 6, 4)), RNG.normal(size=(6, 4))
    ours = path(Adafactor(0.1), gradients, theta)
    np.testing.assert_allclose(path(Adafactor(0.1), gradients.swapaxes(1, 2), theta.T).swapaxes(1, 2), ours, rtol=1e-12)
    state = Adafactor().init(torch.zeros(300, 200))
    assert state.row.untyped_storage().nbytes() + state.col.untyped_storage().nbytes() == 4 * (300 + 200)
    assert state.v is None


def test_adafactor_bounds_a_sudden_step():
    late = [np.full(4, 1e-3)] * 20 + [np.full(4, 1e3)]
    for d, factor in ((1.0, 1.0), (2.0, 2.0), (1e9, 21**0.4)):  # unclipped, 1 / sqrt(b) with b = 21^-0.8
        *_, before, after = path(Adafactor(0.1, d=d), late, np.ones(4))
        np.testing.assert_allclose(after, (1 - 0.1 * factor) * before, rtol=1e-6)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (6, 6), (1, 4), (4, 1)])
def test_newton_schulz_drives_singular_values_near_1(shape):
    x = RNG.normal(size=shape)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    s = np.geomspace(1.0, 0.02, s.size)  # five default iterations lift 0.02 of the norm, no less
    ours = newton_schulz(u * s @ vt)
    values = np.linalg.svd(ours, compute_uv=False)
    assert values.min() > 0.65 and values.max() < 1.25
    np.testing.assert_allclose(np.abs(u.T @ ours @ vt.T), np.diag(np.diag(u.T @ ours @ vt.T)), atol=1e-12)
    exact = newton_schulz(u * s @ vt, (2.0, -1.5, 0.5), steps=40)
    np.testing.assert_allclose(exact, u @ vt, atol=1e-10)  # coefficients that converge, to the polar factor


def test_newton_schulz_turns_with_its_matrix_and_ignores_its_size():
    x, (q, _) = RNG.normal(size=(5, 3)), np.linalg.qr(RNG.normal(size=(5, 5)))
    np.testing.assert_allclose(newton_schulz(q @ x), q @ newton_schulz(x), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(newton_schulz(1e3 * x), newton_schulz(x), rtol=1e-9)
    np.testing.assert_allclose(newton_schulz(x.T), newton_schulz(x).T, rtol=1e-9)
    np.testing.assert_array_equal(newton_schulz(np.zeros((3, 2))), np.zeros((3, 2)))


@pytest.mark.parametrize("shape", [(12, 7), (7, 12)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.7},
        {"momentum": 0.6, "nesterov": False},
        {"ns_steps": 3, "ns_coefficients": (2.0, -1.5, 0.5)},
        {"adjust_lr_fn": "match_rms_adamw"},
        pytest.param(
            {"adjust_lr_fn": "spectral_unclamped"},
            marks=pytest.mark.skipif(TORCH < (2, 15), reason="PyTorch has it from 2.15 on"),
        ),
    ],
    ids=str,
)
def test_muon_is_pytorchs_up_to_its_bfloat16(shape, options):
    """PyTorch iterates in bfloat16 whatever the matrix is: 2 per cent of the distance travelled is all we can ask."""
    rng = np.random.default_rng(3)
    start = rng.normal(size=shape)
    theirs = torch.tensor(start, requires_grad=True)
    optimizer, gradients = torch.optim.Muon([theirs], lr=0.1, **options), rng.normal(size=(20, *shape))
    travelled = 0.0
    for g in gradients:
        before = theirs.detach().clone()
        theirs.grad = torch.tensor(g)
        optimizer.step()
        travelled += float((theirs.detach() - before).norm())
    ours = path(Muon(0.1, **options), gradients, start)[-1]
    assert np.linalg.norm(ours - theirs.detach().numpy()) < 0.02 * travelled


def test_lars_moves_a_set_fraction_of_the_norm():
    theta, g = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    for size in (1e-4, 1.0, 1e4):
        (step,) = steps(LARS(2.0, trust=0.01), [size * g], theta)
        assert np.linalg.norm(step) == pytest.approx(0.02 * np.linalg.norm(theta), rel=1e-12)
    decayed = LARS(2.0, weight_decay=0.5, trust=0.01)
    (step,) = steps(decayed, [0 * g], theta)  # only the decay, which the ratio undoes: the same fraction of theta
    np.testing.assert_allclose(step, -0.02 * theta, rtol=1e-12)
    (step,) = steps(LARS(2.0), [g], 0 * theta)
    np.testing.assert_allclose(step, -2.0 * g)  # an array of zeros takes a plain step
    first, second = steps(LARS(2.0, momentum=0.9), [g, 0 * g], theta)
    np.testing.assert_allclose(second, 0.9 * first)


def test_lamb_moves_by_lr_times_the_norm_in_every_step():
    theta, gradients = RNG.normal(size=(3, 4)), RNG.normal(size=(9, 3, 4))
    points = path(LAMB(0.05, weight_decay=0.3), gradients, theta)
    lengths = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(points)]
    np.testing.assert_allclose(lengths, 0.05, rtol=1e-12)
    free = LAMB(0.05, eps=0.0)
    np.testing.assert_allclose(path(free, 1e6 * gradients, theta), path(free, gradients, theta), rtol=1e-11)
    from_zero, adam = (path(r, gradients[:1]) for r in (LAMB(0.05, eps=1e-3), Adam(0.05, eps=1e-3)))
    np.testing.assert_allclose(from_zero, adam, rtol=1e-12)  # an array of zeros takes Adam's step


@pytest.mark.parametrize("library", INTO)
def test_sam_looks_uphill_first(library):
    curvature, theta = INTO[library](np.array([1.0, 9.0])), INTO[library](np.array([3.0, 4.0]) / np.array([1.0, 9.0]))
    kept = back(theta).copy()
    g = sam_gradient(lambda x: curvature * x, theta, rho=0.5)  # the gradient is (3, 4), of norm 5
    np.testing.assert_allclose(back(g), [3 + 0.5 * 0.6, 4 + 9 * 0.5 * 0.8], rtol=1e-13)
    np.testing.assert_array_equal(back(theta), kept)
    np.testing.assert_allclose(back(sam_gradient(lambda x: curvature * x, theta, rho=0.0)), [3.0, 4.0], rtol=1e-13)
    still = sam_gradient(lambda x: curvature * x, 0 * theta, rho=0.5)
    np.testing.assert_array_equal(back(still), [0.0, 0.0])  # a stationary point: no direction, no ascent


def test_sam_descends_the_worst_loss_nearby():
    """In a round bowl ||x||^2 / 2 the worst loss within rho is (||x|| + rho)^2 / 2."""
    x = RNG.normal(size=5)
    size = np.linalg.norm(x)
    np.testing.assert_allclose(sam_gradient(lambda x: x, x, rho=0.3), (size + 0.3) * x / size, rtol=1e-13)


def test_sams_norm_does_not_overflow_in_half_precision():
    theta = torch.ones(4, dtype=torch.float16)
    g = sam_gradient(lambda x: 1e3 * x, theta, rho=1.0)  # the squares, 1e6, are past float16
    assert g.tolist() == [1500.0] * 4 and g.dtype == torch.float16


# Agreement with PyTorch beyond the cases


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (1, 1, 6)])
@pytest.mark.parametrize("eps1", [None, 0.3])  # 0.3 is above mean(row), 0.2, and below some roots of v
def test_adafactor_of_any_number_of_axes_is_pytorchs(shape, eps1):
    rng = np.random.default_rng(2)
    start, gradients = rng.normal(size=shape), [np.asarray(0.45 * rng.normal(size=shape)) for _ in range(20)]
    theirs = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.Adafactor([theirs], lr=0.1, weight_decay=0.1, eps=(eps1, 1e-3))
    for g in gradients:
        theirs.grad = torch.tensor(g)
        optimizer.step()
    ours = path(Adafactor(0.1, eps1=eps1, weight_decay=0.1), gradients, np.asarray(start))[-1]
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("rule", "torch_class", "options"),
    [
        (NAdam, torch.optim.NAdam, {"momentum_decay": 0.7}),
        (ASGD, torch.optim.ASGD, {"lambd": 0.5}),
    ],
    ids=["NAdam", "ASGD"],
)
def test_pytorchs_float32_scalars_cost_no_more_than_float32(rule, torch_class, options):
    theirs, gradients = torch.zeros(4, dtype=torch.float64, requires_grad=True), RNG.normal(size=(30, 4))
    optimizer = torch_class([theirs], lr=0.1, **options)
    for g in gradients:
        theirs.grad = torch.tensor(g)
        optimizer.step()
    np.testing.assert_allclose(path(rule(0.1, **options), gradients)[-1], theirs.detach().numpy(), rtol=1e-6)


# Extreme inputs


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("rule", NEW)
def test_half_precision_survives_what_breaks_pytorch(rule, dtype):
    rule = rule(lr=0.01, **NO_DECAY.get(rule, {}))
    theta = torch.ones(3, 2, dtype=dtype)
    still, state = rule.update(theta, torch.zeros(3, 2, dtype=dtype), rule.init(theta))
    assert torch.equal(still, theta)  # eps = 1e-8 is 0 in float16; PyTorch gives NaN there
    assert all(a.dtype == torch.float32 for a in state if torch.is_tensor(a))
    for size in (1e-4, 1e4):  # their squares leave float16's range
        g = torch.full((3, 2), size, dtype=dtype)
        moved, _ = rule.update(theta, g, rule.init(theta))
        exact, _ = rule.update(theta.double(), g.double(), rule.init(theta.double()))
        torch.testing.assert_close(moved, exact.to(dtype), rtol=torch.finfo(dtype).eps, atol=0)
        if not isinstance(rule, (ASGD, LARS, Adadelta, RAdam)):  # those take steps that show the size of a gradient
            assert bool((moved != theta).all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rule", WITH_EPS)
def test_without_eps_no_gradient_is_no_move_and_not_nan(rule, dtype):
    rule = rule(lr=0.1, eps=0.0, **NO_DECAY.get(rule, {}))
    theta, g = torch.ones(3, 2, dtype=dtype), torch.zeros(3, 2, dtype=dtype)
    state = rule.init(theta)
    for _ in range(10):
        theta, state = rule.update(theta, g, state)
    assert torch.equal(theta, torch.ones(3, 2, dtype=dtype))
    theta, state = rule.update(theta, g + 1, state)
    assert bool(theta.isfinite().all())


def test_adafactor_without_eps_and_without_gradient():
    for shape in ((3, 2), (3,)):
        theta = np.ones(shape)
        np.testing.assert_array_equal(path(Adafactor(0.1, eps1=0.0), [0 * theta] * 3, theta)[-1], theta)


@pytest.mark.parametrize("rule", WITH_EPS)
def test_without_eps_a_square_that_underflows_makes_no_leap(rule):
    rule = rule(lr=0.1, eps=0.0, **NO_DECAY.get(rule, {}))
    theta = torch.zeros(3, 2)
    moved, _ = rule.update(theta, torch.full((3, 2), 1e-24), rule.init(theta))  # PyTorch: -inf, most of them
    assert bool((moved.abs() <= 0.1001).all())


@pytest.mark.parametrize("rule", [*NEW, Adam, AdamW, AMSGrad])
def test_a_nan_gradient_poisons_its_number_or_where_norms_are_taken_the_array(rule):
    rule = rule(lr=0.1)
    theta, g = torch.ones(3, 2), torch.ones(3, 2)
    g[1, 0] = math.nan
    state = rule.init(theta)
    for g_t in (g, torch.ones(3, 2), torch.ones(3, 2)):
        theta, state = rule.update(theta, g_t, state)
    if isinstance(rule, (Adafactor, Muon, LARS, LAMB)):
        assert bool(theta.isnan().all())
    else:
        assert theta.isnan().tolist() == [[False, False], [True, False], [False, False]]


def test_centered_rmsprop_runs_away_under_a_constant_gradient_as_pytorchs_does():
    theirs = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.RMSprop([theirs], lr=1e-3, alpha=0.9, centered=True)
    for _ in range(100):  # later on the variance is rounding error alone
        theirs.grad = torch.ones_like(theirs)
        optimizer.step()
    ones = [np.ones(1)] * 200
    ours = path(RMSProp(1e-3, alpha=0.9, centered=True), ones)
    np.testing.assert_allclose(ours[100], theirs.detach().numpy(), rtol=1e-6)
    assert abs(ours[-1]) > 50 and abs(path(RMSProp(1e-3, alpha=0.9), ones)[-1]) < 0.25


@pytest.mark.parametrize("eps", [1e-8, 0.0])
def test_centered_rmsprop_survives_a_variance_that_rounding_makes_negative(eps):
    rule, theta, g = RMSProp(1e-3, alpha=0.9, eps=eps, centered=True), torch.zeros(200), torch.linspace(0.1, 3, 200)
    state, negative = rule.init(theta), False
    for _ in range(300):
        theta, state = rule.update(theta, g, state)
        negative |= bool((state.v - state.m**2 < 0).any())
    assert negative and bool(theta.isfinite().all())


def test_rprop_holds_its_steps_within_bounds_under_wild_gradients():
    rule, theta = Rprop(0.1, step_min=0.01, step_max=0.5), torch.zeros(4)
    state = rule.init(theta)
    for size in (1e30, -1e30, 1e-30, -1e-30, 0.0, math.inf, -math.inf) * 5:
        theta, state = rule.update(theta, torch.full((4,), size), state)
        assert bool(((state.step >= 0.01) & (state.step <= 0.5)).all()) and bool(theta.isfinite().all())


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e30])
def test_muon_and_lamb_and_lars_stay_finite(size):
    for rule in (Muon(0.1), LAMB(0.1), LARS(0.1)):
        theta = torch.ones(3, 2)
        moved, _ = rule.update(theta, torch.full((3, 2), size), rule.init(theta))
        assert bool(moved.isfinite().all()), rule


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (2, 3, 2)])
@pytest.mark.parametrize("rule", [r for r in NEW if r is not Muon])
def test_every_shape_works(rule, shape, library):
    theta = INTO[library](np.ones(shape))
    moved, state = rule().update(theta, theta, rule().init(theta))
    assert moved.shape == theta.shape and state.t == 1 and np.isfinite(back(moved)).all()


# Bad input


@pytest.mark.parametrize("rule", NEW)
@pytest.mark.parametrize("lr", [-0.1, math.nan, math.inf])
def test_learning_rate(rule, lr):
    with pytest.raises(ValueError, match=f"lr={lr} is not allowed"):
        rule(lr=lr)


OPTIONS: dict[Any, dict[str, Any]] = {
    AdaGrad: {"lr_decay": -1, "initial_accumulator_value": -1, "eps": math.nan, "weight_decay": -1},
    RMSProp: {"alpha": 1.0, "eps": -1, "momentum": -1, "weight_decay": math.inf},
    Adadelta: {"rho": 1.0, "eps": -1, "weight_decay": -1},
    Rprop: {"eta_minus": 1.0, "eta_plus": math.inf, "step_min": -1, "step_max": math.nan},
    ASGD: {"lambd": -1, "alpha": math.nan, "t0": -1, "weight_decay": -1},
    Adamax: {"beta1": 1.0, "beta2": -0.1, "eps": -1, "weight_decay": -1},
    NAdam: {"beta1": 1.0, "beta2": 1.0, "eps": -1, "weight_decay": -1, "momentum_decay": -1},
    RAdam: {"beta1": math.nan, "beta2": 1.0, "eps": -1, "weight_decay": -1},
    SparseAdam: {"beta1": 1.0, "beta2": 1.0, "eps": -1},
    Adafactor: {"beta2_decay": 0.1, "eps1": -1, "eps2": -1, "d": 0.9, "weight_decay": -1},
    Muon: {
        "momentum": 1.0,
        "weight_decay": -1,
        "eps": -1,
        "ns_steps": 100,
        "ns_coefficients": (1.0,),
        "adjust_lr_fn": "x",
    },
    LARS: {"momentum": -1, "weight_decay": -1, "trust": math.nan},
    LAMB: {"beta1": 1.0, "beta2": 1.0, "eps": -1, "weight_decay": -1},
}


@pytest.mark.parametrize(("rule", "name", "bad"), [(r, n, b) for r, given in OPTIONS.items() for n, b in given.items()])
def test_options(rule, name, bad):
    with pytest.raises(ValueError, match=f"{name}="):
        rule(**{name: bad})


def test_rprop_bounds_in_the_wrong_order():
    with pytest.raises(ValueError, match=r"step_min=2\.0 must not be above step_max=1\.0"):
        Rprop(step_min=2.0, step_max=1.0)
    with pytest.raises(ValueError, match="need 0 < eta_minus < 1 < eta_plus"):
        Rprop(eta_plus=0.9)


@pytest.mark.parametrize("rule", NEW)
def test_shapes_and_dtypes(rule):
    theta, rule = np.zeros((3, 2)), rule()
    state = rule.init(theta)
    with pytest.raises(ValueError, match=r"theta \(3, 2\), g \(2, 3\)"):
        rule.update(theta, theta.T, state)
    with pytest.raises(ValueError, match="state belongs to another array"):
        rule.update(theta, theta, rule.init(np.zeros((5, 4))))
    with pytest.raises(TypeError, match="g must be a floating point array"):
        rule.update(theta, theta.astype(int), state)


def test_muon_wants_a_matrix():
    for shape in ((3,), (), (2, 3, 4), (0, 3)):
        with pytest.raises(ValueError, match="theta must be a matrix"):
            Muon().update(np.zeros(shape), np.zeros(shape), Muon().init(np.zeros(shape)))


@pytest.mark.parametrize(("given", "met"), [((3,), (3, 2)), ((3, 2), (3,))])
def test_adafactors_state_belongs_to_a_matrix_or_to_a_vector(given, met):
    with pytest.raises(ValueError, match="state belongs to another array"):
        Adafactor().update(np.zeros(met), np.zeros(met), Adafactor().init(np.zeros(given)))


def test_sam_refuses():
    with pytest.raises(ValueError, match="rho=-1 is not allowed"):
        sam_gradient(lambda x: x, np.ones(2), rho=-1)
    with pytest.raises(TypeError, match="theta must be a floating point array"):
        sam_gradient(lambda x: x, np.ones(2, dtype=int))


# In PyTorch's training loop


TRAINED = [
    AdaGrad(0.3, lr_decay=0.01, initial_accumulator_value=0.1),
    RMSProp(0.02, momentum=0.5, centered=True),
    Adadelta(1.0, eps=1e-2),
    Rprop(0.01),
    ASGD(0.1, t0=3.0),
    Adamax(0.1),
    NAdam(0.1, momentum_decay=0.1),
    RAdam(0.1),
    SparseAdam(0.1),
    Adafactor(0.1),
    Muon(0.1, ns_coefficients=(3.0, -3.2, 1.2)),
    LARS(0.1, trust=0.5),
    LAMB(0.05, weight_decay=0.01),
]


def fit(layer, optimizer, n):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(50, 4, generator=generator)
    y = x @ torch.tensor([[1.0, -2.0, 0.5, 0.0], [0.0, 1.0, 1.0, -1.0]]).T
    losses = []
    for _ in range(n):
        optimizer.zero_grad()
        loss = ((layer(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def linear(rule):
    torch.manual_seed(0)
    return torch.nn.Linear(4, 2, bias=not isinstance(rule, Muon))  # Muon wants matrices


@pytest.mark.parametrize("rule", TRAINED, ids=lambda r: type(r).__name__)
def test_trains_a_layer_and_resumes_from_its_state_dict(rule):
    whole, first = linear(rule), linear(rule)
    losses = fit(whole, TorchOptimizer(rule, whole.parameters()), 60)
    assert losses[-1] < 0.5 * losses[0]
    optimizer = TorchOptimizer(rule, first.parameters())
    fit(first, optimizer, 30)
    second = copy.deepcopy(first)
    resumed = TorchOptimizer(type(rule)(lr=9.0), second.parameters())  # every saved option must win
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    fit(second, resumed, 30)
    for a, b in zip(whole.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert resumed.state[next(second.parameters())]["t"] == 60


def test_sam_trains_with_any_rule():
    target = np.array([1.0, -2.0])
    rule, theta = SGD(0.1), np.zeros(2)
    for _ in range(200):
        theta, _ = rule.update(theta, sam_gradient(lambda x: x - target, theta, 0.01), rule.init(theta))
    np.testing.assert_allclose(theta, target, atol=0.011)  # it circles the minimum at a distance of rho, or less
