"""Rules around rules, 8-bit states, meta-learning and the learned rule: contracts, laws, bad input."""

import copy
import io
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib.bridge import TorchOptimizer
from lessons_lib.core import array_namespace
from lessons_lib.optim import (
    LAMB,
    LARS,
    SGD,
    Adam,
    AdamW,
    Chain,
    EightBit,
    LearnedOptimizer,
    Lookahead,
    Momentum,
    descend,
    es_gradient,
    maml_gradient,
    reptile_gradient,
)
from lessons_lib.optim.adam import AdamState
from lessons_lib.optim.clip import clip_by_norm
from lessons_lib.optim.learned_optimizer import initial_weights
from lessons_lib.optim.quantize import dequantize, dynamic_map, quantize


def sign(g):
    return array_namespace(g).sign(g)


UNIT = Momentum(lr=1.0)
RULES = {
    "chain": Chain((UNIT, sign), SGD(0.1, weight_decay=0.5)),
    "chain of rules": Chain((UNIT,), Adam(0.1)),
    "lookahead": Lookahead(Adam(0.1), steps=2),
    "8 bits": EightBit(AdamW(0.1), block=4),
    "nest": Lookahead(EightBit(Adam(0.1)), steps=2),
    "lookahead twice": Lookahead(Lookahead(Momentum(0.1), steps=2), steps=3, alpha=0.8),
    "chain around": Chain((Lookahead(UNIT, steps=2), EightBit(Adam(lr=1.0))), Lookahead(SGD(0.1), steps=2)),
}
EVERY = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
THETA = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]])


def run(rule, theta, gradients):
    state = rule.init(theta)
    for g in gradients:
        theta, state = rule.update(theta, g, state)
    return theta


def random(n=6, shape=(3, 2), dtype=torch.float32):
    generator = torch.Generator().manual_seed(n)
    return [torch.randn(shape, generator=generator).to(dtype) for _ in range(n)]


# What holds for every rule holds for a rule around a rule


@EVERY
@pytest.mark.parametrize("g_dtype", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_theta_keeps_its_dtype_and_its_digits_whatever_the_gradient_has(rule, dtype, g_dtype):
    theta, g = torch.tensor(THETA, dtype=dtype), torch.tensor([[0.5, -1], [2, 0.25], [-4, 1]])
    moved = run(rule, theta, [g.to(g_dtype)] * 5)
    assert moved.dtype == dtype and torch.equal(moved, run(rule, theta, [g.to(dtype)] * 5))
    wide = run(rule, theta.double(), [g.double()] * 5)
    torch.testing.assert_close(moved.double(), wide, rtol=0, atol=20 * torch.finfo(dtype).eps)


@EVERY
@pytest.mark.parametrize("library", INTO)
def test_every_library_gives_the_same_and_inputs_that_cannot_be_written_stay(rule, library):
    theta, g = INTO[library](THETA), INTO[library](THETA[::-1].copy())
    moved = run(rule, theta, [g] * 5)
    np.testing.assert_allclose(back(moved), run(rule, THETA, [THETA[::-1]] * 5), rtol=1e-12)
    np.testing.assert_array_equal(back(theta), THETA)
    assert type(moved) is type(theta) and np.isfinite(back(run(rule, theta, [0 * g] * 3))).all()


@EVERY
@pytest.mark.parametrize("size", [1e20, 1e-20, 0.0])
def test_float32_stays_finite_at_gradients_of_any_size(rule, size):
    assert bool(run(rule, torch.tensor(THETA).float(), [torch.tensor(THETA).float() * size] * 4).isfinite().all())


@EVERY
def test_elementwise_means_that_pieces_are_as_good_as_the_whole(rule):
    theta, *gradients = (a.double().numpy() for a in random(7, (8, 6)))
    whole = run(rule, theta, gradients)
    pieces = [run(rule, theta[part], [g[part] for g in gradients]) for part in (np.s_[:3], np.s_[3:])]
    if getattr(rule, "elementwise", False):
        np.testing.assert_array_equal(whole, np.concatenate(pieces))


@pytest.mark.parametrize(
    ("rule", "elementwise"),
    [
        (Lookahead(Adam()), True),
        (Lookahead(LAMB()), False),
        (Lookahead(EightBit(Adam())), False),
        (Chain((UNIT,), SGD()), True),
        (Chain((UNIT, sign), SGD()), False),
        (Chain((), LAMB()), False),
    ],
    ids=lambda x: type(x).__name__,
)
def test_a_wrapper_is_elementwise_where_all_within_it_is(rule, elementwise):
    assert rule.elementwise is elementwise


def trained(optimizer, p, gradients):
    for g in gradients:
        p.grad = g.clone()
        optimizer.step()
        p.grad.zero_()
    return p.detach().clone()


@EVERY
@pytest.mark.parametrize("shape", [(3, 2), (300, 256)])
def test_it_trains_through_the_bridge_as_by_itself(rule, shape):
    start, *gradients = random(6, shape)
    p = torch.nn.Parameter(start.clone())
    assert torch.equal(trained(TorchOptimizer(rule, [p]), p, gradients), run(rule, start, gradients))


def loaded(optimizer, p):
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other = TorchOptimizer(optimizer.rule, [torch.nn.Parameter(p.detach().clone())])
    other.load_state_dict(torch.load(file, weights_only=True))
    return other


WAYS = {"saved": loaded, "copied": lambda o, p: copy.deepcopy(o), "pickled": lambda o, p: pickle.loads(pickle.dumps(o))}


@EVERY
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_goes_on_exactly(rule, dtype, way):
    start, *gradients = random(7, dtype=dtype)
    p = torch.nn.Parameter(start.clone())
    optimizer = TorchOptimizer(rule, [p])
    trained(optimizer, p, gradients[:3])
    other = WAYS[way](optimizer, p)
    (q,) = other.param_groups[0]["params"]
    whole = trained(optimizer, p, gradients[3:])
    assert torch.equal(trained(other, q, gradients[3:]), whole)
    assert torch.equal(whole, run(rule, start, gradients))


def test_lr_is_that_of_the_rule_that_moves_theta():
    for rule in (Chain((UNIT,), SGD(0.25)), Lookahead(SGD(0.25)), EightBit(Momentum(0.25))):
        assert rule.lr == 0.25 and replace(rule, rule=replace(rule.rule, lr=0.5)).lr == 0.5
        p = torch.nn.Parameter(torch.zeros(3))
        optimizer = TorchOptimizer(rule, [p])
        assert optimizer.param_groups[0]["lr"] == 0.25
        optimizer.param_groups[0]["lr"] = 0.5  # as a scheduler does
        torch.testing.assert_close(trained(optimizer, p, [torch.ones(3)]), torch.full((3,), -0.5))


# Chain


def test_optimizers_are_compositions():
    theta, *gradients = (a.double().numpy() for a in random(9, (4, 3)))
    for chain, rule in (
        (Chain((Momentum(1.0, 0.8, nesterov=True),), SGD(0.1)), Momentum(0.1, 0.8, nesterov=True)),
        (Chain((Adam(lr=1.0),), SGD(0.1, weight_decay=0.5)), AdamW(0.1, weight_decay=0.5)),
        (Chain((Adam(lr=1.0, eps=1e-6),), LARS(0.02, momentum=0.0, trust=1.0)), LAMB(0.02)),
        (Chain((SGD(lr=1.0), Chain((UNIT,), SGD(lr=1.0))), Adam(0.1)), Chain((UNIT,), Adam(0.1))),
    ):
        np.testing.assert_allclose(run(chain, theta, gradients), run(rule, theta, gradients), rtol=1e-12)


def test_the_sign_of_momentum_is_not_the_momentum_of_signs():
    gradients = [np.array([4.0]), np.array([-1.0]), np.array([-1.0])]
    rule = Momentum(lr=1.0, momentum=0.5)
    assert run(Chain((rule, sign), SGD(0.1)), np.zeros(1), gradients) == pytest.approx(-0.1)  # 4, 1, -0.5
    assert run(Chain((sign, rule), SGD(0.1)), np.zeros(1), gradients) == pytest.approx(0.1 * (-1 + 0.5 + 1.25))


# Lookahead


def test_alpha_1_is_the_rule_and_alpha_0_stays():
    theta, *gradients = random(7)
    assert torch.equal(run(Lookahead(Adam(0.1), 2, 1.0), theta, gradients), run(Adam(0.1), theta, gradients))
    assert torch.equal(run(Lookahead(Adam(0.1), 2, 0.0), theta, gradients), theta)


def test_on_a_parabola_a_round_multiplies_by_its_own_factor():
    points = descend(np.array([1.0]), Lookahead(SGD(0.1), steps=3, alpha=0.4), lambda x: 2 * x, 6)
    factor = 0.6 + 0.4 * 0.8**3
    np.testing.assert_allclose(points[3::3], [[factor], [factor**2]], rtol=1e-12)
    np.testing.assert_allclose(points[4], 0.8 * factor, rtol=1e-12)


def test_lookahead_is_calmer_than_its_rule():
    """The variance in a noisy bowl is smaller, whatever alpha < 1 is."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(400, 2000))
    ends = {}
    for name, rule in (("plain", SGD(0.5)), ("calm", Lookahead(SGD(0.5)))):
        draws = iter(noise)
        ends[name] = descend(np.zeros(2000), rule, lambda x, draws=draws: x + next(draws), 400)[-1].var()
    assert ends["plain"] == pytest.approx(0.5**2 / (1 - 0.5**2), rel=0.1) and ends["calm"] < 0.7 * ends["plain"]


# 8 bits


@pytest.mark.parametrize("signed", [True, False])
def test_the_map_has_256_numbers_and_twice_as_many_in_each_decade(signed):
    numbers = np.array(dynamic_map(signed))
    assert len(set(numbers)) == 256 and (np.diff(numbers) > 0).all() and 0.0 in numbers and numbers[-1] == 1
    inside = numbers[(numbers > 0) & (numbers < 1)]
    counts = [int(np.sum((inside > 10.0**d) & (inside < 10.0 ** (d + 1)))) for d in range(-7, 0)]
    assert counts == [2**i * (1 if signed else 2) for i in range(7)]
    assert numbers[0] == (pytest.approx(-0.99296875) if signed else 0)  # as bitsandbytes' first one
    assert not signed or set(-inside) == set(numbers[numbers < 0])


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("signed", [True, False])
def test_each_number_becomes_the_nearest_and_errs_by_what_its_decade_allows(signed, library):
    x = np.random.default_rng(0).normal(size=(7, 30)) ** 5
    x = x if signed else np.abs(x)
    codes, scale = quantize(INTO[library](x), signed, 64)
    found = back(dequantize(codes, scale, signed, 64)).ravel()
    assert back(codes).dtype == np.uint8 and codes.shape == x.shape and scale.shape == (4,)
    for i, row in enumerate(np.split(x.ravel(), [64, 128, 192])):
        top, ours = np.abs(row).max(), found[64 * i : 64 * i + 64]
        nearest = np.array(dynamic_map(signed))[:, None] - row / top
        error = np.abs(ours - row) / top
        assert np.all((error <= np.abs(nearest).min(0) + 1e-12) | (ours == 3.25e-7 * top))
        large = np.abs(row) > 0.1 * top
        assert (error[large] / np.abs(row[large] / top)).max() < (0.071 if signed else 0.036)
        assert np.abs(ours).max() <= top and ours[np.abs(row).argmax()] == pytest.approx(
            row[np.abs(row).argmax()], 0.01
        )


def test_what_was_quantized_stays_and_zeros_are_zeros():
    x = torch.randn(500, generator=torch.Generator().manual_seed(0))
    x[0] = 5.0  # the largest, which a map from -0.993 to 1 keeps exactly where it is positive
    once = dequantize(*quantize(x, True, 500), True, 500)
    assert torch.equal(dequantize(*quantize(once, True, 500), True, 500), once) and once[0] == 5.0
    assert not dequantize(*quantize(torch.zeros(3, 4), False), False).any()
    assert dequantize(*quantize(torch.zeros(0, 4))).shape == (0, 4) and quantize(torch.tensor(2.0)).codes.shape == ()


def test_one_large_number_costs_its_own_block_only():
    x = np.full(512, 1e-3)
    x[0] = 1e6
    one, two = (dequantize(*quantize(x, True, block), True, block) for block in (512, 256))
    assert (one[1:] == 0).all() and (two[1:256] == 0).all() and two[256:] == pytest.approx(1e-3)


def test_a_mean_square_that_is_not_0_does_not_become_0():
    x = torch.tensor([1.0, 1e-12, 0.0])
    assert dequantize(*quantize(x, False), False).tolist() == pytest.approx([1.0, 3.25e-7, 0.0])
    assert dequantize(*quantize(x)).tolist() == [1.0, 0.0, 0.0]


def test_inf_is_the_largest_float_and_nan_takes_its_block():
    x = torch.tensor([math.inf, 1.0, math.nan, 1.0, 2.0, 1.0])
    found = dequantize(*quantize(x, True, 2), True, 2)
    assert found[0] == torch.finfo(torch.float32).max and found[1] == 0 and found[2:4].isnan().all()
    assert found[4] == 2 and found[5] == pytest.approx(1.0, rel=0.02)


def test_8_bits_are_a_quarter_of_the_memory():
    def size(state):
        return sum(a.nbytes for a in torch.utils._pytree.tree_leaves(state) if torch.is_tensor(a))

    theta = torch.zeros(100, 256)
    assert size(EightBit(Adam()).init(theta)) == pytest.approx(size(Adam().init(theta)) * (1 / 4 + 1 / 256))


@pytest.mark.parametrize(("steps", "least", "most"), [(60, 0.005, 0.08), (200, 1e-5, 0.01)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_adam_in_8_bits_follows_adam_within_a_few_per_cent(seed, steps, least, most):
    curvature, start = np.logspace(-1, 1, 300), np.random.default_rng(seed).normal(size=300)
    ends = [descend(start, rule, lambda x: curvature * x, steps)[-1] for rule in (Adam(0.03), EightBit(Adam(0.03)))]
    assert least < np.linalg.norm(ends[1] - ends[0]) / np.linalg.norm(ends[0] - start) < most
    loss = [curvature @ x**2 for x in (start, *ends)]
    assert loss[1] < 0.1 * loss[0] and abs(loss[2] - loss[1]) < 0.02 * loss[0]


def test_a_mean_that_changes_by_less_than_half_a_gap_stands_still():
    rule, g = EightBit(Adam()), np.array([1.0, 0.0])
    state = rule.init(g)
    state = state._replace(t=1000, inner=state.inner._replace(t=1000, v=quantize(np.array([1.0, 0.5]), False)))
    theta, before, full = g, state.inner.v, AdamState(1000, 0 * g, np.array([1.0, 0.5]))
    for _ in range(500):
        theta, state = rule.update(theta, g, state)
        _, full = Adam().update(theta, g, full)
    assert np.array_equal(state.inner.v.codes, before.codes) and state.inner.v.scale == pytest.approx(1.0)
    assert full.v[1] < 0.31


def test_only_what_is_named_is_kept_in_8_bits():
    inner = EightBit(Lookahead(Adam())).init(torch.ones(3)).inner
    assert inner.slow.dtype == inner.inner.m.dtype == torch.float32
    inner = EightBit(Adam(), signed=("m",), unsigned=()).init(torch.ones(3)).inner
    assert inner.m.codes.dtype == torch.uint8 and inner.v.dtype == torch.float32


# Meta-learning

H = np.array([[2.0, 0.5], [0.5, 1.0]])
CENTRE = np.array([1.0, -1.0])


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_maml_on_a_parabola_is_the_gradient_after_a_known_contraction(steps, library):
    h, c, theta = (INTO[library](a) for a in (H, CENTRE, np.array([0.5, 2.0])))
    shrink = np.linalg.matrix_power(np.eye(2) - 0.1 * H, steps)
    exact = maml_gradient(lambda x: h @ (x - c), lambda x: x, theta, 0.1, steps, lambda x, v: h @ v)
    first = maml_gradient(lambda x: h @ (x - c), lambda x: x, theta, 0.1, steps)
    end = CENTRE + shrink @ (back(theta) - CENTRE)
    np.testing.assert_allclose(back(first), end, rtol=1e-12)
    np.testing.assert_allclose(back(exact), shrink @ end, rtol=1e-12)


def test_maml_is_the_slope_of_the_loss_after_adaptation():
    def adapted(x, steps=3):
        for _ in range(steps):
            x = x - 0.2 * np.cos(x)
        return np.sum(x**4) / 4

    theta, d = np.array([0.3, -0.8, 1.4]), np.array([1.0, 0.5, -2.0])
    g = maml_gradient(np.cos, lambda x: x**3, theta, 0.2, 3, lambda x, v: -np.sin(x) * v)
    assert g @ d == pytest.approx((adapted(theta + 1e-6 * d) - adapted(theta - 1e-6 * d)) / 2e-6, rel=1e-7)


def test_where_the_three_settle_between_a_flat_task_and_a_steep_one():
    """Tasks h (x - c)^2 / 2 with (h, c) = (1, 0) and (5, 1), two steps of 0.1: each weighs them in its own way."""
    tasks, lr, k = ((1.0, 0.0), (5.0, 1.0)), 0.1, 2

    def rest(gradient, weight):
        w = [weight(h, (1 - lr * h) ** k) for h, _ in tasks]
        x = np.array([sum(a * c for a, (_, c) in zip(w, tasks, strict=True)) / sum(w)])
        return sum(gradient(lambda x, h=h, c=c: h * (x - c), h, x) for h, c in tasks)

    found = [
        rest(lambda f, h, x: maml_gradient(f, f, x, lr, k, lambda x, v: h * v), lambda h, s: h * s**2),
        rest(lambda f, h, x: maml_gradient(f, f, x, lr, k), lambda h, s: h * s),
        rest(lambda f, h, x: reptile_gradient(f, x, lr, k), lambda h, s: (1 - s) / lr),
    ]
    np.testing.assert_allclose(found, 0, atol=1e-14)


def test_reptile_is_the_way_that_descent_went():
    theta = np.array([0.5, 2.0])
    end = descend(theta, SGD(0.1), lambda x: H @ (x - CENTRE), 4)[-1]
    np.testing.assert_allclose(reptile_gradient(lambda x: H @ (x - CENTRE), theta, 0.1, 4), (theta - end) / 0.1)
    np.testing.assert_allclose(reptile_gradient(lambda x: x, theta, 0.1, 1), theta)
    np.testing.assert_allclose(reptile_gradient(lambda x: x, theta, 0.0, 3), 3 * theta)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_rounds_a_meta_gradient_once(dtype):
    theta = torch.tensor([1.0, -0.5], dtype=dtype)
    found = maml_gradient(lambda x: x, lambda x: x, theta, 1e-4, 4, lambda x, v: v)
    assert torch.equal(found, ((1 - 1e-4) ** 8 * theta.double()).to(dtype))
    assert reptile_gradient(lambda x: x, theta, 1e-4, 4).tolist() == pytest.approx([4.0, -2.0], rel=1e-2)


# The learned rule


def test_it_starts_as_adam_and_no_gradient_is_no_move():
    theta, *gradients = random(8, dtype=torch.float64)
    ours, adam = (run(rule, theta, gradients) for rule in (LearnedOptimizer(0.1), Adam(0.1, eps=0.0)))
    torch.testing.assert_close(ours, adam, rtol=1e-12, atol=0)
    weights = np.random.default_rng(0).normal(size=40)
    assert torch.equal(run(LearnedOptimizer(0.1, weights), theta, [0 * g for g in gradients]), theta)
    assert not torch.equal(run(LearnedOptimizer(0.1, weights), theta, gradients), theta)
    assert initial_weights(1) != initial_weights(2) and initial_weights() == initial_weights(0)


def test_the_scale_of_the_gradient_does_not_count():
    rule, (theta, *gradients) = LearnedOptimizer(0.1, np.random.default_rng(0).normal(size=40)), random(8)
    assert torch.equal(run(rule, theta, gradients), run(rule, theta, [2.0**10 * g for g in gradients]))


def test_evolution_teaches_it_to_beat_its_start_on_tasks_it_has_not_seen():
    rng = np.random.default_rng(0)

    def task():
        return 10 ** rng.uniform(-1.5, 1, (16, 6)), rng.normal(size=(16, 6))

    def loss(weights, curvature, start):
        end = descend(start, LearnedOptimizer(0.1, weights), lambda x: curvature * x, 20)[-1]
        return float(np.mean(np.log10((curvature * end**2).sum(1) + 1e-9)))

    weights, teacher, unseen = np.array(initial_weights()), Adam(0.03), task()
    first, state = loss(weights, *unseen), teacher.init(weights)
    for _ in range(20):
        given = task()
        g = es_gradient(lambda w, given=given: loss(w, *given), weights, 0.1, rng.normal(size=(6, 40)))
        weights, state = teacher.update(weights, clip_by_norm(g, 1.0), state)
    assert loss(weights, *unseen) < first - 0.5


@pytest.mark.parametrize("library", INTO)
def test_evolution_knows_the_gradient_of_a_parabola_from_an_orthogonal_noise(library):
    x, noise = INTO[library](np.array([1.0, -2.0, 0.5])), INTO[library](np.sqrt(3) * np.eye(3)[[2, 0, 1]])
    found = es_gradient(lambda x: (x * x) @ INTO[library](np.array([1.0, 2.0, 3.0])), x, 0.7, noise)
    np.testing.assert_allclose(back(found), [2.0, -8.0, 3.0], rtol=1e-12)


# Bad input

ONE, TWO = np.ones(2), np.ones((3, 2))
SAYS = [
    (lambda: Chain((Momentum(),), SGD()), ValueError, r"before\[0\].lr=0.001 is not allowed; it must be 1"),
    (lambda: Chain((UNIT, 3), SGD()), TypeError, r"before\[1\]=3 is not allowed; it must be a rule"),
    (lambda: Chain(UNIT, SGD()), TypeError, "before=Momentum.* must be a tuple of rules"),
    (lambda: Chain((), SGD), TypeError, "rule=.* must be a rule"),
    (lambda: Lookahead(len), TypeError, "rule=.* must be a rule, as SGD"),
    (lambda: Lookahead(SGD(), steps=0), ValueError, "steps=0 is not allowed; it must be an integer >= 1"),
    (lambda: Lookahead(SGD(), alpha=1.5), ValueError, r"alpha=1.5 is not allowed; it must lie in \[0, 1\]"),
    (lambda: Lookahead(SGD(), alpha=math.nan), ValueError, "alpha=nan"),
    (lambda: EightBit(SGD(), block=0), ValueError, "block=0"),
    (lambda: EightBit(SGD(), signed="m"), TypeError, "signed='m' is not allowed; it must be a tuple of names"),
    (lambda: EightBit(None), TypeError, "rule=None"),
    (lambda: quantize(np.ones(2, int)), TypeError, "x must be a floating point array"),
    (lambda: quantize(ONE, signed=1), TypeError, "signed=1"),
    (lambda: dequantize(ONE, ONE), TypeError, "codes must be a uint8 array, got float64"),
    (lambda: dequantize(*quantize(ONE, block=1)), ValueError, r"scale must be one per block of 256 codes \(2,\), got"),
    (lambda: maml_gradient(1, np.cos, ONE), TypeError, "support=1 is not allowed; it must be a function"),
    (lambda: maml_gradient(np.cos, np.cos, ONE, lr=-1), ValueError, "lr=-1"),
    (lambda: maml_gradient(np.cos, np.cos, ONE, steps=1.5), ValueError, "steps=1.5"),
    (lambda: maml_gradient(np.cos, np.cos, ONE, hvp=1), TypeError, "hvp=1"),
    (lambda: maml_gradient(np.cos, lambda x: TWO, ONE), ValueError, r"theta \(2,\), query\(theta\) \(3, 2\)"),
    (lambda: maml_gradient(np.cos, np.cos, ONE, hvp=lambda x, v: 1), TypeError, r"hvp\(theta\) must be a floating"),
    (lambda: maml_gradient(np.cos, np.cos, np.ones(2, int)), TypeError, "theta must be a floating"),
    (lambda: reptile_gradient(np.cos, ONE, steps=0), ValueError, "steps=0"),
    (lambda: reptile_gradient(lambda x: TWO, ONE), ValueError, r"gradient\(theta\) \(3, 2\)"),
    (
        lambda: es_gradient(np.sum, ONE, 0.0, TWO),
        ValueError,
        "sigma=0.0 is not allowed; it must be a finite number > 0",
    ),
    (
        lambda: es_gradient(np.sum, ONE, 0.1, ONE),
        ValueError,
        r"noise must be \(n, \*x.shape\), n >= 1, got noise \(2,\)",
    ),
    (lambda: es_gradient(np.cos, ONE, 0.1, TWO), TypeError, r"f\(x\) must be one number, got a ndarray"),
    (lambda: LearnedOptimizer(weights=(1.0,)), ValueError, "weights must be 40 numbers, got 1"),
    (lambda: LearnedOptimizer(weights=[math.nan] * 40), ValueError, r"weights\[0\]=nan"),
    (lambda: LearnedOptimizer(weights=0.5), TypeError, "weights=0.5"),
    (lambda: initial_weights(-1), ValueError, "seed=-1"),
]


@pytest.mark.parametrize(("call", "error", "says"), SAYS)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


@EVERY
def test_a_wrapper_takes_no_state_but_its_own(rule):
    for other in (None, (), Adam().init(ONE), *(r.init(ONE) for r in RULES.values() if type(r) is not type(rule))):
        with pytest.raises(TypeError, match="state must be what"):
            rule.update(ONE, ONE, other)
    with pytest.raises(ValueError, match="state belongs to another array"):
        rule.update(TWO, TWO, rule.init(ONE))
    with pytest.raises(ValueError, match="shapes must be equal"):
        rule.update(TWO, ONE, rule.init(TWO))
