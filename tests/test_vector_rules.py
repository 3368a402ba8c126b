"""Lion, Sophia, AdEMAMix, the schedule-free rules, Prodigy and Adam-mini: laws, bad and extreme inputs."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib.bridge import TorchOptimizer
from lessons_lib.optim import (
    SGD,
    AdamMini,
    AdamW,
    AdEMAMix,
    Lion,
    Prodigy,
    RMSProp,
    ScheduleFreeAdamW,
    ScheduleFreeSGD,
    Sophia,
)

RNG = np.random.default_rng(0)
THETA, GRADIENTS = RNG.normal(size=(4, 3)), RNG.normal(size=(12, 4, 3))
FREE = [ScheduleFreeSGD(0.3, beta=0.6), ScheduleFreeAdamW(0.3, beta1=0.6, beta2=0.9)]
ALL = [Lion, Sophia, AdEMAMix, ScheduleFreeSGD, ScheduleFreeAdamW, Prodigy, AdamMini]


def path(rule, gradients, theta=THETA):
    """theta and state after every step."""
    state = rule.init(theta)
    for g in gradients:
        theta, state = rule.update(theta, g, state)
        yield theta, state


def end(rule, gradients, theta=THETA):
    return [*path(rule, gradients, theta)][-1]


# Lion


def test_lion_moves_every_number_by_lr_whatever_the_size_of_its_gradients():
    ends = [end(Lion(0.1), size * GRADIENTS)[0] for size in (1.0, 1e-30, 1e30)]
    np.testing.assert_array_equal(ends[0], ends[1])
    np.testing.assert_array_equal(ends[0], ends[2])
    points = np.array([THETA, *(theta for theta, _ in path(Lion(0.1), GRADIENTS))])
    np.testing.assert_allclose(np.abs(np.diff(points, axis=0)), 0.1, rtol=1e-12)


def test_lion_steps_with_beta1_and_remembers_with_beta2():
    _, state = end(Lion(0.1, 0.5, 0.75), [np.array([4.0])], np.zeros(1))
    assert state.m == pytest.approx(1.0)  # 0.25 * 4
    stays, _ = Lion(0.1, 0.5, 0.75).update(np.zeros(1), np.array([-0.99]), state)
    turns, _ = Lion(0.1, 0.5, 0.75).update(np.zeros(1), np.array([-1.01]), state)
    assert stays == pytest.approx(-0.1) and turns == pytest.approx(0.1)


def test_the_sign_of_nothing_is_0_and_only_the_decay_is_left():
    theta, _ = end(Lion(0.1, weight_decay=0.5), [0 * THETA] * 3)
    np.testing.assert_allclose(theta, 0.95**3 * THETA, rtol=1e-13)


# Sophia


def in_a_bowl(rule, curvature, steps, theta):
    state = rule.init(theta)
    for _ in range(steps):
        state = rule.with_curvature(state, curvature)
        theta, state = rule.update(theta, curvature * theta, state)
    return theta


def test_sophia_with_the_curvature_known_is_newtons_step():
    curvature, theta = np.array([1e-3, 1.0, 1e3]), np.array([0.5, -0.2, 0.7])
    rule = Sophia(0.25, beta1=0.0, beta2=0.0, gamma=1.0, weight_decay=0.0)
    np.testing.assert_allclose(in_a_bowl(rule, curvature, 3, theta), 0.75**3 * theta, rtol=1e-12)


@pytest.mark.parametrize("curvature", [0.0, -5.0, 1e-9])
def test_sophia_takes_the_sign_where_the_curvature_says_nothing(curvature):
    rule = Sophia(0.1, weight_decay=0.0)
    state = rule.with_curvature(rule.init(THETA), np.full(THETA.shape, curvature))
    theta, _ = rule.update(THETA, GRADIENTS[0], state)
    np.testing.assert_allclose(theta, THETA - 0.1 * np.sign(GRADIENTS[0]), rtol=1e-13)


def test_sophias_step_is_never_longer_than_lr_and_grows_with_gamma_getting_smaller():
    rule = Sophia(0.1, beta1=0.0, weight_decay=0.0)
    state = rule.with_curvature(rule.init(THETA), np.ones(THETA.shape))  # h = 0.01
    steps = [np.abs(replace(rule, gamma=k).update(THETA, GRADIENTS[0], state)[0] - THETA) for k in (1e3, 1e2, 10, 0)]
    np.testing.assert_allclose(steps[0], 0.1 * np.minimum(np.abs(GRADIENTS[0]) / 10, 1), rtol=1e-11)
    assert all((a <= b + 1e-15).all() and (b < 0.1 + 1e-12).all() for a, b in itertools.pairwise(steps))


def test_hutchinsons_estimate_is_the_diagonal_on_average():
    h = RNG.normal(size=(4, 4))
    h, signs = h + h.T, [np.array(u) for u in itertools.product([-1.0, 1.0], repeat=4)]
    np.testing.assert_allclose(np.mean([u * (h @ u) for u in signs], axis=0), np.diag(h), atol=1e-13)
    rule = Sophia(beta2=0.75)
    state = rule.with_curvature(rule.with_curvature(rule.init(np.zeros(4)), np.diag(h)), np.ones(4))
    np.testing.assert_allclose(state.h, 0.1875 * np.diag(h) + 0.25, rtol=1e-13)
    assert state.t == 0 and not state.m.any()


def test_gauss_newton_bartletts_estimate_is_the_curvature_on_average():
    """B g_s^2 for labels drawn from the model: for one example of softmax, p (1 - p), the Hessian's diagonal."""
    p = np.array([0.5, 0.3, 0.2])
    squares = [(p - label) ** 2 for label in np.eye(3)]
    np.testing.assert_allclose(np.average(squares, axis=0, weights=p), p * (1 - p), rtol=1e-13)


@pytest.mark.parametrize("library", INTO)
def test_sophias_curvature_on_every_array_library(library):
    rule, theta = Sophia(beta2=0.5), INTO[library](THETA)
    estimate = INTO[library](GRADIENTS[0])
    state = rule.with_curvature(rule.init(theta), estimate)
    assert type(state.h) is type(theta) and state.h.dtype == theta.dtype
    np.testing.assert_allclose(back(state.h), GRADIENTS[0] / 2)
    np.testing.assert_array_equal(back(estimate), GRADIENTS[0])


def test_sophias_curvature_stays_in_float32_beside_half_precision():
    rule, theta = Sophia(), torch.ones(3, dtype=torch.float16)
    state = rule.with_curvature(rule.init(theta), torch.full((3,), 1e-6, dtype=torch.float16))
    assert state.h.dtype == torch.float32 and bool((state.h > 0).all())


def test_the_bridge_takes_sophias_curvature_through_its_state():
    rule, start = Sophia(0.1, gamma=1.0), torch.tensor(THETA)
    p, theta, state = torch.nn.Parameter(start.clone()), start, rule.init(start)
    optimizer = TorchOptimizer(rule, [p])
    for g in torch.tensor(GRADIENTS):
        p.grad = g.clone()
        optimizer.step()
        theta, state = rule.update(theta, g, state)
        state = rule.with_curvature(state, g * g)
        optimizer.state[p]["h"] = rule.beta2 * optimizer.state[p]["h"] + (1 - rule.beta2) * g * g
    assert torch.equal(p.detach(), theta)


# AdEMAMix


def test_ademamix_without_its_slow_mean_is_adamw():
    ours, _ = end(AdEMAMix(0.1, weight_decay=0.3, alpha=0.0), GRADIENTS)
    adamw, _ = end(AdamW(0.1, weight_decay=0.3), GRADIENTS)
    np.testing.assert_allclose(ours, adamw, rtol=1e-13)


def test_ademamix_fills_its_slow_mean_without_correction():
    g = np.array([1e-3, -2.0, 1e4])
    rule = AdEMAMix(0.1, beta3=0.9, alpha=5.0, eps=0.0)
    points = np.array([np.zeros(3), *(theta for theta, _ in path(rule, [g] * 30, np.zeros(3)))])
    filled = 1 + 5 * (1 - 0.9 ** np.arange(1, 31)[:, None])
    np.testing.assert_allclose(np.diff(points, axis=0), -0.1 * filled * np.sign(g), rtol=1e-11)


def test_an_old_gradient_still_pushes_after_the_fast_mean_has_forgotten_it():
    gradients, ends = [np.ones(1), *[np.zeros(1)] * 300], {}
    for alpha in (5.0, 0.0):
        points = [*path(AdEMAMix(0.1, beta2=0.0, beta3=0.999, alpha=alpha, eps=1.0), gradients, np.zeros(1))]
        ends[alpha] = points[-1][0] - points[-101][0]
    assert points[-1][1].slow == pytest.approx(1e-3 * 0.999**300) and points[-1][1].m < 1e-14
    assert ends[5.0] == pytest.approx(-0.1 * 5 * 1e-3 * sum(0.999**t for t in range(201, 301)))
    assert abs(ends[0.0]) < 1e-9


# Schedule-free


@pytest.mark.parametrize("rule", FREE, ids=lambda r: type(r).__name__)
def test_x_is_the_mean_of_z_and_theta_lies_between(rule):
    beta = getattr(rule, "beta", None) or rule.beta1
    zs = []
    for theta, state in path(rule, GRADIENTS):
        zs.append(state.z)
        x = rule.averaged(theta, state)
        np.testing.assert_allclose(x, np.mean(zs, axis=0), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(theta, (1 - beta) * state.z + beta * x, rtol=1e-12)


def test_schedule_free_sgds_z_is_sgd_and_schedule_free_adamws_is_rmsprop_corrected():
    sgd, _ = end(SGD(0.3), GRADIENTS)
    np.testing.assert_allclose(end(FREE[0], GRADIENTS)[1].z, sgd, rtol=1e-12)
    adamw, _ = end(AdamW(0.3, beta1=0.0, beta2=0.9, weight_decay=0.0), GRADIENTS)
    np.testing.assert_allclose(end(FREE[1], GRADIENTS)[1].z, adamw, rtol=1e-12)


@pytest.mark.parametrize("rule", FREE, ids=lambda r: type(r).__name__)
def test_a_warm_up_weighs_the_average_by_the_square_of_the_largest_lr(rule):
    theta, state, zs = THETA, rule.init(THETA), []
    rates = [0.1, 0.2, 0.4, 0.4, 0.05]  # after a fall the weight stays
    for lr, g in zip(rates, GRADIENTS, strict=False):
        theta, state = replace(rule, lr=lr).update(theta, g, state)
        zs.append(state.z)
    weights = np.array([0.1, 0.2, 0.4, 0.4, 0.4]) ** 2
    np.testing.assert_allclose(rule.averaged(theta, state), np.average(zs, axis=0, weights=weights), rtol=1e-11)


@pytest.mark.parametrize("rule", FREE, ids=lambda r: type(r).__name__)
def test_before_the_first_step_and_with_lr_0_the_average_is_theta(rule):
    state = rule.init(THETA)
    np.testing.assert_allclose(rule.averaged(THETA, state), THETA, rtol=1e-13)
    still, state = replace(rule, lr=0.0).update(THETA, GRADIENTS[0], state)
    np.testing.assert_allclose(still, THETA, rtol=1e-13)
    moved, state = rule.update(still, GRADIENTS[0], state)  # the first weight above 0 takes all
    np.testing.assert_allclose(rule.averaged(moved, state), state.z, rtol=1e-12)


@pytest.mark.parametrize("rule", FREE, ids=lambda r: type(r).__name__)
def test_the_decay_is_taken_where_the_gradient_was(rule):
    decayed = replace(rule, weight_decay=0.5)
    theta, state = end(rule, GRADIENTS[:3])
    plain, _ = rule.update(theta, GRADIENTS[3], state)
    moved, new = decayed.update(theta, GRADIENTS[3], state)
    np.testing.assert_allclose(rule.update(theta, GRADIENTS[3], state)[1].z - new.z, 0.3 * 0.5 * theta, rtol=1e-10)
    assert (moved != plain).all()


def test_the_average_is_steadier_than_the_point_that_steps():
    rng, theta = np.random.default_rng(1), np.zeros(500)  # 500 noisy descents on x^2 / 2
    rule = ScheduleFreeSGD(0.5)
    state = rule.init(theta)
    for _ in range(400):
        theta, state = rule.update(theta, theta + rng.normal(size=500), state)
    x = rule.averaged(theta, state)
    assert x.std() < state.z.std() / 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("rule", FREE, ids=lambda r: type(r).__name__)
def test_the_average_of_half_precision_weights_keeps_their_dtype(rule, dtype):
    theta, state = end(rule, torch.tensor(GRADIENTS).to(dtype), torch.tensor(THETA).to(dtype))
    x, exact = rule.averaged(theta, state), rule.averaged(*end(rule, GRADIENTS))
    assert x.dtype == dtype and state.z.dtype == torch.float32
    np.testing.assert_allclose(back(x.double()), exact, atol=24 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("rule", FREE, ids=lambda r: type(r).__name__)
def test_the_average_on_every_array_library(rule, library):
    theta, state = end(rule, [INTO[library](g) for g in GRADIENTS], INTO[library](THETA))
    x = rule.averaged(theta, state)
    assert type(x) is type(theta)
    np.testing.assert_allclose(back(x), rule.averaged(*end(rule, GRADIENTS)), rtol=1e-12)


# Prodigy


def test_prodigy_finds_the_distance_to_the_solution_by_itself():
    """On |x - D| per number the estimate grows from 1e-6 to near D, whatever D is, and theta ends at the solution."""
    for distance in (0.1, 10.0, 1000.0):
        theta, rule = np.zeros(5), Prodigy()
        state = rule.init(theta)
        for t in range(400):
            lr = (1 + math.cos(math.pi * t / 400)) / 2
            theta, state = replace(rule, lr=lr).update(theta, np.sign(theta - distance), state)
        assert 0.3 * distance < state.d < 3 * distance
        np.testing.assert_allclose(theta, distance, rtol=0.2)


def test_prodigys_d_never_falls_and_is_a_lower_bound_in_the_ways_that_its_options_say():
    ds = {}
    for rule in (Prodigy(), Prodigy(d_coef=0.25), Prodigy(growth_rate=1.1), Prodigy(d0=1e-3)):
        ds[rule] = [state.d for _, state in path(rule, [THETA] * 40, np.zeros((4, 3)))]
        assert (np.diff([rule.d0, *ds[rule]]) >= 0).all() and ds[rule][-1] > 10 * rule.d0
    plain, timid, slow, late = ds.values()
    assert timid[-1] < plain[-1] and late[-1] > plain[-1]
    leaps = [b / a for a, b in itertools.pairwise(slow) if a > 1e-6]
    assert max(leaps) == pytest.approx(1.1, rel=1e-12)


def test_prodigys_d_does_not_depend_on_the_size_of_the_gradients():
    rule = Prodigy(eps=0.0)
    ends = [end(rule, [size * THETA] * 30, np.zeros((4, 3))) for size in (1.0, 1e-6, 1e6)]
    for theta, state in ends[1:]:
        assert state.d == pytest.approx(ends[0][1].d, rel=1e-10)
        np.testing.assert_allclose(theta, ends[0][0], rtol=1e-10)


def test_prodigys_first_step_is_adams_with_lr_d0_and_no_bias_correction():
    theta, state = end(Prodigy(beta2=0.96, d0=0.01, eps=0.0), [THETA], np.zeros((4, 3)))
    np.testing.assert_allclose(theta, -0.01 * 0.1 / math.sqrt(0.04) * np.sign(THETA), rtol=1e-12)
    np.testing.assert_allclose(end(RMSProp(0.001, alpha=0.96, eps=0.0), [THETA], 0 * THETA)[0], theta, rtol=1e-12)
    assert state.d == 0.01


def test_prodigy_without_gradient_keeps_d_and_only_decays():
    theta, state = end(Prodigy(weight_decay=0.5, d0=0.1), [0 * THETA] * 3)
    np.testing.assert_allclose(theta, 0.95**3 * THETA, rtol=1e-13)
    assert state.d == 0.1
    _, state = end(Prodigy(d0=0.1), [np.full((4, 3), math.nan), *GRADIENTS])
    assert state.d == 0.1


def test_prodigy_has_one_d_for_one_array():
    whole = [state.d for _, state in path(Prodigy(), [THETA] * 20, np.zeros((4, 3)))]
    part = [state.d for _, state in path(Prodigy(), [THETA[:1]] * 20, np.zeros((1, 3)))]
    assert whole[-1] != part[-1] and not Prodigy.elementwise


# Adam-mini


def test_adam_mini_with_a_block_per_number_is_adamw():
    column = THETA.reshape(-1, 1)
    ours = end(AdamMini(0.1, weight_decay=0.3), GRADIENTS.reshape(12, -1, 1), column)[0]
    np.testing.assert_allclose(ours.reshape(4, 3), end(AdamW(0.1, weight_decay=0.3), GRADIENTS)[0], rtol=1e-12)
    assert AdamMini().init(np.zeros(5)).v.shape == (5, 1)  # a vector: a block per number


@pytest.mark.parametrize("blocks", [1, 2, 4, None])
def test_adam_minis_blocks_are_arrays_of_their_own(blocks):
    whole, pieces = end(AdamMini(0.1, blocks=blocks), GRADIENTS), blocks or 4
    parts = [
        end(AdamMini(0.1, blocks=1), g, theta)[0]
        for g, theta in zip(np.split(GRADIENTS, pieces, axis=1), np.split(THETA, pieces), strict=True)
    ]
    np.testing.assert_allclose(whole[0], np.concatenate(parts), rtol=1e-13)
    assert whole[1].v.shape == (pieces, 1)


def test_adam_mini_keeps_the_direction_of_a_block_and_gives_it_adams_length():
    g = RNG.normal(size=(4, 3)) * np.array([[1e-3], [1.0], [1e3], [1e6]])
    step = end(AdamMini(0.1, eps=0.0), [g])[0] - THETA
    np.testing.assert_allclose(np.sqrt((step**2).mean(axis=1)), 0.1, rtol=1e-9)
    np.testing.assert_allclose(step / step[:, :1], g / g[:, :1], rtol=1e-8)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3), (2, 3, 4)])
def test_adam_mini_takes_any_shape(shape):
    theta, state = end(AdamMini(), [np.ones(shape)] * 2, np.zeros(shape))
    assert theta.shape == shape and state.v.shape == (shape[0] if shape else 1, 1)
    assert np.isfinite(theta).all()


# Bad and extreme inputs


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Lion(beta1=1.0), r"beta1=1.0 is not allowed; it must be a number in \[0, 1\)"),
        (lambda: Lion(lr=-0.1), "lr=-0.1 is not allowed"),
        (lambda: Lion(weight_decay=math.nan), "weight_decay=nan is not allowed"),
        (lambda: Sophia(eps=0.0), "eps=0.0 is not allowed; it must be a finite number > 0"),
        (lambda: Sophia(gamma=-1.0), "gamma=-1.0 is not allowed"),
        (lambda: Sophia(beta2=1.0), "beta2=1.0 is not allowed"),
        (lambda: Sophia().with_curvature(Sophia().init(THETA), THETA.T), r"h \(4, 3\), estimate \(3, 4\)"),
        (lambda: AdEMAMix(beta3=1.0), "beta3=1.0 is not allowed"),
        (lambda: AdEMAMix(alpha=-1.0), "alpha=-1.0 is not allowed"),
        (lambda: ScheduleFreeSGD(beta=0.0), "beta=0.0 is not allowed; it must be a finite number > 0"),
        (lambda: ScheduleFreeSGD(beta=1.0), r"beta=1.0 is not allowed; it must be a number in \[0, 1\)"),
        (lambda: ScheduleFreeAdamW(beta1=0.0), "beta1=0.0 is not allowed"),
        (lambda: ScheduleFreeAdamW(eps=-1.0), "eps=-1.0 is not allowed"),
        (lambda: Prodigy(d0=0.0), "d0=0.0 is not allowed; it must be a finite number > 0"),
        (lambda: Prodigy(d_coef=0.0), "d_coef=0.0 is not allowed"),
        (lambda: Prodigy(growth_rate=0.9), "growth_rate=0.9 is not allowed; it must be a number >= 1"),
        (lambda: Prodigy(growth_rate=math.nan), "growth_rate=nan is not allowed"),
        (lambda: AdamMini(blocks=0), "blocks=0 is not allowed; it must be an integer >= 1"),
        (lambda: AdamMini(blocks=3).init(THETA), r"blocks=3 must divide the first axis of theta, got shape \(4, 3\)"),
    ],
)
def test_bad_values_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_curvature_that_is_no_array_of_floats_is_named():
    for estimate in (1.0, None, np.ones((4, 3), dtype=int)):
        with pytest.raises(TypeError, match="estimate must be a floating point array"):
            Sophia().with_curvature(Sophia().init(THETA), estimate)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("rule", ALL)
def test_half_precision_survives_small_and_large_gradients(rule, dtype):
    rule = rule(lr=0.01, weight_decay=0.0, **({"d0": 1.0} if rule is Prodigy else {}))
    theta = torch.ones(3, 2, dtype=dtype)
    still, state = rule.update(theta, torch.zeros(3, 2, dtype=dtype), rule.init(theta))
    assert torch.equal(still, theta) and all(a.dtype == torch.float32 for a in state if torch.is_tensor(a))
    for size in (1e-4, 1e4):
        g = torch.full((3, 2), size, dtype=dtype)
        moved, _ = rule.update(theta, g, rule.init(theta))
        exact, _ = rule.update(theta.double(), g.double(), rule.init(theta.double()))
        torch.testing.assert_close(moved, exact.to(dtype), rtol=torch.finfo(dtype).eps, atol=0)
        assert bool((moved != theta).all()) or (isinstance(rule, ScheduleFreeSGD) and size < 1)


@pytest.mark.parametrize("rule", [AdEMAMix, ScheduleFreeAdamW, Prodigy, AdamMini])
def test_without_eps_no_gradient_is_no_move_and_a_lost_square_no_leap(rule):
    rule = rule(lr=0.1, eps=0.0)
    theta, state = end(rule, [torch.zeros(3, 2)] * 5, torch.ones(3, 2))
    assert torch.equal(theta, torch.ones(3, 2))
    assert bool(rule.update(theta, torch.ones(3, 2), state)[0].isfinite().all())
    moved, _ = end(rule, [torch.full((3, 2), 1e-24)], torch.zeros(3, 2))
    assert bool((moved.abs() <= 0.7).all())


@pytest.mark.parametrize("rule", ALL)
def test_a_nan_gradient_makes_its_number_nan_for_good(rule):
    g = torch.ones(3, 2)
    g[1, 0] = math.nan
    theta, _ = end(rule(lr=0.1), [g, torch.ones(3, 2), torch.ones(3, 2)], torch.ones(3, 2))
    row = [True, rule is AdamMini]  # its block, a row
    assert theta.isnan().tolist() == [[False, False], row, [False, False]]
