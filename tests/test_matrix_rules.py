"""Shampoo, SOAP, GaLore, the clip of queries and keys, the gradients of LoRA: what only they promise."""

import copy
import io
import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib.bridge import TorchOptimizer
from lessons_lib.optim import (
    LAMB,
    SGD,
    SOAP,
    AdaGrad,
    Adam,
    AdamW,
    GaLore,
    Lookahead,
    Momentum,
    Muon,
    Shampoo,
    qk_clip,
    scaled_lora_gradients,
)

RNG = np.random.default_rng(0)
RULES = [Shampoo(), SOAP(), GaLore(Adam(), 2, every=3)]


def path(rule, gradients, theta=None):
    """theta before the first step and after every step."""
    theta = np.zeros(np.shape(gradients[0])) if theta is None else theta
    state, points = rule.init(theta), [theta]
    for g in gradients:
        theta, state = rule.update(theta, g, state)
        points.append(theta)
    return np.array(points)


def rotation(n):
    return np.linalg.qr(RNG.normal(size=(n, n)))[0]


# Shampoo


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_shampoos_first_step_has_singular_values_of_one(size, library):
    """L^(-1/4) g R^(-1/4) = U S^(-1/2) S S^(-1/2) V^T: what Muon approximates, whatever the size of g."""
    g = RNG.normal(size=(4, 3))
    u, _, vh = np.linalg.svd(g, full_matrices=False)
    theta, rule = INTO[library](np.zeros((4, 3))), Shampoo(0.5, eps=0.0)
    moved, _ = rule.update(theta, INTO[library](size * g), rule.init(theta))
    np.testing.assert_allclose(back(moved), -0.5 * u @ vh, rtol=1e-9, atol=1e-11)


def test_shampoo_of_one_number_is_adagrad():
    """(eps + sum g^2)^(-1/4), twice."""
    gradients = RNG.normal(size=(20, 1, 1))
    expected = path(AdaGrad(0.1, initial_accumulator_value=0.3, eps=0.0), gradients)
    np.testing.assert_allclose(path(Shampoo(0.1, eps=0.3), gradients), expected, rtol=1e-12)


def test_with_beta_old_gradients_fade_from_shampoos_sums():
    rule, gradients, theta = Shampoo(0.1, beta=0.5, eps=2.0), RNG.normal(size=(3, 4, 3)), np.zeros((4, 3))
    state = rule.init(theta)
    for g in gradients:
        theta, state = rule.update(theta, g, state)
    a, b, c = gradients
    np.testing.assert_allclose(state.left, (a @ a.T + 2 * np.eye(4) / 2) / 4 + b @ b.T / 2 + c @ c.T, rtol=1e-13)
    np.testing.assert_allclose(state.right, (a.T @ a + 2 * np.eye(3) / 2) / 4 + b.T @ b / 2 + c.T @ c, rtol=1e-13)


@pytest.mark.parametrize("rule", [Shampoo(0.1), SOAP(0.1, every=4), GaLore(Momentum(0.1), 2, every=4)], ids=repr)
def test_in_turned_coordinates_the_path_is_the_turned_path(rule):
    """Adam's is not: it divides along the axes."""
    u, v, start, gradients = rotation(3), rotation(3), RNG.normal(size=(3, 3)), RNG.normal(size=(12, 3, 3))
    plain, turned = path(rule, gradients, start), path(rule, u @ gradients @ v.T, u @ start @ v.T)
    np.testing.assert_allclose(turned, u @ plain @ v.T, rtol=1e-8, atol=1e-10)
    adam = path(Adam(0.1), gradients, start), path(Adam(0.1), u @ gradients @ v.T, u @ start @ v.T)
    assert np.abs(adam[1] - u @ adam[0] @ v.T).max() > 0.1


# SOAP


def test_soap_waits_one_step_and_is_then_adamw_where_there_is_nothing_to_turn():
    """A single number has no basis. AdamW decays before its step, SOAP after it: without decay they agree."""
    gradients = RNG.normal(size=(20, 1, 1))
    ours = path(SOAP(0.1, 0.8, 0.9, eps=0.0, weight_decay=0.0), gradients)
    assert ours[1] == ours[0]
    expected = path(AdamW(0.1, 0.8, 0.9, eps=0.0, weight_decay=0.0), gradients[1:])
    np.testing.assert_allclose(ours[1:], expected, rtol=1e-12)
    decayed = path(SOAP(0.1, weight_decay=0.5), 0 * gradients, np.ones((1, 1)))
    np.testing.assert_allclose(decayed[:, 0, 0], [1.0, *0.95 ** np.arange(20)], rtol=1e-12)


def test_soap_renews_its_basis_every_few_steps_and_it_is_the_eigenvectors():
    rule, theta = SOAP(0.1, every=3), np.zeros((4, 3))
    state, renewed = rule.init(theta), []
    for g in RNG.normal(size=(10, 4, 3)):
        before = state
        theta, state = rule.update(theta, g, state)
        if not np.array_equal(before.q_left, state.q_left):
            renewed.append(before.t)
            for q, gram in ((state.q_left, state.left), (state.q_right, state.right)):
                np.testing.assert_allclose(q.T @ q, np.eye(len(q)), atol=1e-12)
                turned = q.T @ gram @ q
                np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-12)
    assert renewed == [0, 3, 6, 9]


# GaLore


def test_galores_first_step_of_sgd_is_the_best_approximation_of_its_rank():
    for shape in ((6, 4), (4, 6)):
        g, theta = RNG.normal(size=shape), np.zeros(shape)
        u, s, vh = np.linalg.svd(g, full_matrices=False)
        for rank in (1, 2, 4, 99):  # beyond the matrix: all of it, and that is SGD
            (_, moved) = path(GaLore(SGD(0.1), rank, scale=2.0), [g], theta)
            np.testing.assert_allclose(moved, -0.2 * (u[:, :rank] * s[:rank]) @ vh[:rank], rtol=1e-10, atol=1e-13)


def test_galore_keeps_a_small_state():
    for shape, p, small in (((60, 8), (8, 2), (60, 2)), ((8, 60), (8, 2), (2, 60))):
        state = GaLore(Adam(), 2).init(np.zeros(shape))
        assert state.p.shape == p and state.inner.m.shape == state.inner.v.shape == small


@pytest.mark.parametrize("shape", [(6, 4), (4, 6)])
def test_galores_means_outlive_a_new_decomposition_of_the_same_directions(shape):
    """That of -g has other signs than that of g: a momentum kept in the old ones would be turned against itself."""
    g = RNG.normal(size=shape)
    gradients = [c * g for c in (1.0, 3.0, -2.0, 1.0, 0.5, -1.0, 4.0)]
    once, anew = (path(GaLore(Adam(0.1), 2, every=n), gradients) for n in (1000, 1))
    np.testing.assert_allclose(anew, once, rtol=1e-9, atol=1e-11)


def test_galores_decay_reaches_the_whole_matrix():
    theta = RNG.normal(size=(5, 3))
    moved = path(GaLore(SGD(0.5), 1, weight_decay=0.4), [0 * theta] * 2, theta)[-1]
    np.testing.assert_allclose(moved, 0.8**2 * theta, rtol=1e-13)


WRAPPED = [
    *(GaLore(rule, 2, 3, 1.0, 0.01) for rule in (Adam(0.1), Muon(0.1, weight_decay=0.0), SOAP(0.1, weight_decay=0.0))),
    GaLore(Lookahead(Momentum(0.1)), 2),
    Shampoo(0.3),
    SOAP(0.1),
]


def gradients_for(p, n):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(p.shape, generator=generator).to(p.dtype) for _ in range(n)]


def stepped(optimizer, gradients):
    (p,) = optimizer.param_groups[0]["params"]
    for g in gradients:
        p.grad = g.clone()
        optimizer.step()
    return p.detach().clone()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rule", WRAPPED, ids=repr)
def test_in_pytorch_a_copy_and_a_saved_state_go_on_exactly(rule, dtype):
    p = torch.nn.Parameter(torch.ones(5, 4, dtype=dtype))
    theta, gradients = p.detach().clone(), gradients_for(p, 8)
    optimizer, state = TorchOptimizer(rule, [p]), rule.init(theta)
    stepped(optimizer, gradients[:4])
    copied, file = copy.deepcopy(optimizer), io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    loaded = TorchOptimizer(rule, [torch.nn.Parameter(p.detach().clone())])
    loaded.load_state_dict(torch.load(file, weights_only=True))
    for g in gradients:
        theta, state = rule.update(theta, g, state)
    for other in (optimizer, copied, loaded):
        assert torch.equal(stepped(other, gradients[4:]), theta)


@pytest.mark.parametrize("rule", WRAPPED, ids=repr)
def test_trains_a_layer(rule):
    torch.manual_seed(0)
    layer, x, w = torch.nn.Linear(4, 3, bias=False), torch.randn(50, 4), torch.randn(3, 4)
    optimizer, losses = TorchOptimizer(rule, layer.parameters()), []
    for _ in range(80):
        optimizer.zero_grad()
        loss = ((layer(x) - x @ w.T) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_a_group_sets_the_rates_of_galore_and_of_its_rule():
    p = torch.nn.Parameter(torch.ones(5, 4))
    optimizer = TorchOptimizer(GaLore(SGD(0.1), 2), [{"params": [p], "lr": 0.0, "weight_decay": 0.5}])
    stepped(optimizer, gradients_for(p, 1))
    assert torch.equal(p.detach(), torch.ones(5, 4))  # a rate of 0 and a decay times that rate
    optimizer.param_groups[0]["lr"] = 1.0
    assert not torch.equal(stepped(optimizer, gradients_for(p, 1)), torch.ones(5, 4))


# Queries and keys


@pytest.mark.parametrize("library", INTO)
def test_clipped_weights_give_the_same_batch_the_logit_tau(library):
    x, w_q, w_k = (RNG.normal(size=shape) for shape in ((7, 6), (4, 6), (4, 6)))

    def largest(w_q, w_k):
        return float(((x @ w_q.T) @ (x @ w_k.T).T).max() / 2)

    for tau in (0.5, 2.0):
        given = INTO[library](w_q), INTO[library](w_k)
        clipped = [back(w) for w in qk_clip(*given, largest(w_q, w_k), tau)]
        assert largest(*clipped) == pytest.approx(tau, rel=1e-12)
        np.testing.assert_allclose(clipped[0] / w_q, clipped[1] / w_k, rtol=1e-12)  # both by the same factor
    for logit in (100.0, 99.0, 0.0, -500.0):
        same = qk_clip(*given, logit)
        np.testing.assert_array_equal(back(same[0]), w_q)
        np.testing.assert_array_equal(back(same[1]), w_k)
    np.testing.assert_array_equal(back(given[0]), w_q)


def test_a_factor_below_float16_rounds_once():
    w, _ = qk_clip(*(torch.full((2,), 6e4, dtype=torch.float16),) * 2, max_logit=1e18)
    assert w.tolist() == pytest.approx([6e4 * 1e-8] * 2, rel=0.05) and w.dtype == torch.float16


# LoRA


def low_rank():
    a, b, g = RNG.normal(size=(2, 6)), RNG.normal(size=(5, 2)), RNG.normal(size=(5, 6))
    return a, b, g


@pytest.mark.parametrize("library", INTO)
def test_scaled_lora_gradients_project_the_gradient_of_the_product(library):
    """To first order B A moves by g projected onto A's rows, plus g projected onto B's columns."""
    a, b, g = low_rank()
    step_a, step_b = map(back, scaled_lora_gradients(*map(INTO[library], (a, b, b.T @ g, g @ a.T)), eps=0.0))
    rows, columns = np.linalg.pinv(a) @ a, b @ np.linalg.pinv(b)
    np.testing.assert_allclose(step_b @ a, g @ rows, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(b @ step_a, columns @ g, rtol=1e-10, atol=1e-12)


def test_scaled_lora_gradients_do_not_ask_how_the_product_is_split():
    a, b, g = low_rank()
    split, moves = np.array([[30.0, 1.0], [0.0, 0.01]]), []
    for a_i, b_i in ((a, b), (split @ a, b @ np.linalg.inv(split))):
        step = scaled_lora_gradients(a_i, b_i, b_i.T @ g, g @ a_i.T, eps=0.0)
        moves.append(step.b @ a_i + b_i @ step.a)
    np.testing.assert_allclose(moves[1], moves[0], rtol=1e-7, atol=1e-9)
    plain = [g @ x.T @ x for x in (a, split @ a)]
    assert np.abs(plain[1] - plain[0]).max() > 100 * np.abs(moves[1] - moves[0]).max()


@pytest.mark.parametrize("eps", [0.0, 1e-6])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_lora_starts_from_a_matrix_of_zeros(dtype, eps):
    a, b, g = (torch.as_tensor(x).to(dtype) for x in low_rank())
    step_a, step_b = scaled_lora_gradients(a, 0 * b, 0 * b.T @ g, g @ a.T, eps)
    assert step_a.count_nonzero() == 0 and bool(step_b.isfinite().all()) and step_b.dtype == dtype
    exact = g.double() @ a.double().T @ torch.inverse(a.double() @ a.double().T)
    torch.testing.assert_close(step_b.double(), exact, rtol=0, atol=0.02)


# Extreme inputs


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("rule", [*RULES, Shampoo(eps=0.0), SOAP(eps=0.0, weight_decay=0.0)], ids=repr)
def test_no_gradient_is_no_move_and_extremes_stay_finite(rule, dtype):
    theta = torch.ones(3, 2, dtype=dtype)
    top = 1e4 if dtype == torch.float16 else 1e20
    for size in (0.0, 1e-7, top):
        x, state = theta, rule.init(theta)
        for _ in range(4):
            x, state = rule.update(x, size * theta, state)
        assert bool(x.isfinite().all()) and x.dtype == dtype
        if size == 0 and not getattr(rule, "weight_decay", 0):
            assert torch.equal(x, theta)


def test_where_squares_overflow_there_is_no_move():
    theta, g = torch.ones(3, 2), torch.tensor([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]]) * 1e20
    for rule in (Shampoo(), SOAP(weight_decay=0.0)):
        x, state = theta, rule.init(theta)
        for _ in range(3):
            x, state = rule.update(x, g, state)
        assert torch.equal(x, theta)


@pytest.mark.parametrize("rule", [Shampoo(), SOAP()], ids=repr)
def test_a_nan_gradient_poisons_the_matrix_for_good(rule):
    theta, g = torch.ones(3, 2), torch.ones(3, 2)
    g[1, 0] = math.nan
    state = rule.init(theta)
    for g_t in (torch.ones(3, 2), g, torch.ones(3, 2)):
        theta, state = rule.update(theta, g_t, state)
    assert bool(theta.isnan().all())
    theta, g = torch.ones(3, 2), torch.full((3, 2), math.nan)
    moved, _ = GaLore(Adam(), 1).update(theta, g, GaLore(Adam(), 1).init(theta))
    assert bool(moved.isnan().all())
    a, b = torch.ones(2, 3), torch.full((4, 2), math.nan)
    assert bool(scaled_lora_gradients(a, b, a, torch.ones(4, 2)).a.isnan().all())


# Bad input


@pytest.mark.parametrize("rule", [Shampoo(), SOAP(), GaLore(SGD(0.1))], ids=repr)
def test_vectors_are_refused(rule):
    for shape in ((3,), (), (2, 3, 4), (0, 3), (3, 0)):
        with pytest.raises(ValueError, match="theta must be a matrix with rows and columns"):
            rule.init(np.zeros(shape))
    with pytest.raises(ValueError, match="theta must be a matrix"):
        TorchOptimizer(rule, [torch.nn.Parameter(torch.ones(3))])
    with pytest.raises(ValueError, match="state belongs to another array"):
        rule.update(np.zeros((3, 2)), np.zeros((3, 2)), rule.init(np.zeros((5, 4))))


BAD_SOAP = {"lr": math.inf, "beta1": 1.0, "beta2": 1.0, "shampoo_beta": -0.1, "eps": -1, "weight_decay": -1, "every": 0}
OPTIONS: list[tuple[Any, dict[str, Any]]] = [
    (Shampoo, {"lr": -1, "beta": 1.1, "eps": math.nan}),
    (SOAP, BAD_SOAP),
    (partial(GaLore, rule=SGD(0.1)), {"rule": AdamW(), "rank": 0, "every": 0.5, "scale": -1, "weight_decay": -1}),
]


@pytest.mark.parametrize(("rule", "name", "bad"), [(r, n, b) for r, given in OPTIONS for n, b in given.items()])
def test_options(rule, name, bad):
    with pytest.raises(ValueError, match=f"{name}=.* is not allowed"):
        rule(**{name: bad})


def test_galore_wants_a_rule_without_a_decay_of_its_own():
    with pytest.raises(ValueError, match=r"rule=LAMB.* is not allowed; .*give weight_decay to GaLore"):
        GaLore(LAMB(weight_decay=0.1))
    for rule in (None, Adam, "Adam", 3):
        with pytest.raises(TypeError, match=r"rule=.* is not allowed; it must be a rule"):
            GaLore(rule)


def test_what_the_helpers_refuse():
    w = np.ones((2, 3))
    for given, says in (({"max_logit": math.inf}, "max_logit=inf"), ({"max_logit": 9.0, "tau": 0.0}, "tau=0.0")):
        with pytest.raises(ValueError, match=f"{says} is not allowed"):
            qk_clip(w, w, **given)
    with pytest.raises(TypeError, match="w_k must be a floating point array"):
        qk_clip(w, w.astype(int), 1.0)
    a, b = np.ones((2, 3)), np.ones((4, 2))
    with pytest.raises(ValueError, match="eps=-1 is not allowed"):
        scaled_lora_gradients(a, b, a, b, eps=-1)
    with pytest.raises(ValueError, match=r"must have one rank, got \(2, 3\) and \(2, 4\)"):
        scaled_lora_gradients(a, b.T, a, b.T)
    with pytest.raises(ValueError, match=r"a \(2, 3\), grad_a \(3, 2\)"):
        scaled_lora_gradients(a, b, a.T, b)
    with pytest.raises(ValueError, match="b must be a matrix"):
        scaled_lora_gradients(a, np.ones(2), a, np.ones(2))
