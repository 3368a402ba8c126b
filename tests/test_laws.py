"""What only this concept promises, stated on paper and asserted here."""

import numpy as np
import pytest
import torch

from lessons_lib import landscapes
from lessons_lib.core import Loss, mean, total, weighted_mean
from lessons_lib.fast.by_rows import by_rows
from lessons_lib.losses import binary_cross_entropy, cross_entropy, smooth_labels, soft_cross_entropy, squared_error
from lessons_lib.optim import SGD, Adam, AdamW, AMSGrad, Each, Momentum

RNG = np.random.default_rng(0)


def test_cross_entropy_ignores_a_shift_of_all_logits():
    z, k = RNG.normal(size=(5, 4)), RNG.integers(0, 4, 5)
    a, b = cross_entropy(z, k), cross_entropy(z + 1000.0, k)
    np.testing.assert_allclose(a.value, b.value, rtol=1e-12)
    np.testing.assert_allclose(a.grad.sum(-1), 0, atol=1e-15)


def test_two_classes_are_the_binary_case():
    z, k = RNG.normal(size=(9, 2)), RNG.integers(0, 2, 9)
    np.testing.assert_allclose(
        cross_entropy(z, k).value, binary_cross_entropy(z[:, 1] - z[:, 0], k.astype(float)).value, rtol=1e-13
    )


def test_soft_labels_contain_the_hard_ones_and_their_minimum_is_the_entropy():
    z, k = RNG.normal(size=(6, 3)), RNG.integers(0, 3, 6)
    np.testing.assert_allclose(
        soft_cross_entropy(z, smooth_labels(k, 3, 0.0)).value, cross_entropy(z, k).value, rtol=1e-13
    )
    p = RNG.dirichlet(np.ones(3), 6)
    best = soft_cross_entropy(np.log(p), p)
    np.testing.assert_allclose(best.value, -(p * np.log(p)).sum(-1), rtol=1e-12)
    np.testing.assert_allclose(best.grad, 0, atol=1e-15)


def test_a_class_of_probability_0_adds_nothing_even_at_minus_infinity():
    loss = soft_cross_entropy(np.array([[0.0, -np.inf]]), np.array([[1.0, 0.0]]))
    assert loss.value[0] == 0 and np.isfinite(loss.grad).all()


def test_minimisers():
    y = np.array([0.0, 1, 1, 1])
    assert mean(binary_cross_entropy(np.full(4, np.log(3)), y)).grad.sum() == pytest.approx(
        0, abs=1e-15
    )  # logit of 3/4
    t = np.array([1.0, 2.0, 9.0])
    assert mean(squared_error(np.full(3, t.mean()), t)).grad.sum() == pytest.approx(0, abs=1e-15)


def test_binary_tails_keep_their_gradient():
    loss = binary_cross_entropy(np.array([20.0, -20.0], dtype=np.float32), np.array([1.0, 0.0], dtype=np.float32))
    np.testing.assert_allclose(loss.grad, [-2.0611537e-9, 2.0611537e-9], rtol=1e-6)  # PyTorch rounds the first to 0


def test_averages():
    loss = Loss(np.array([1.0, 3.0, np.inf]), np.array([[1.0, 2.0], [3.0, 4.0], [np.nan, 0.0]]))
    kept = weighted_mean(loss, np.array([1.0, 3.0, 0.0]))
    assert kept.value == 2.5
    np.testing.assert_array_equal(kept.grad, [[0.25, 0.5], [2.25, 3.0], [0.0, 0.0]])
    assert total(Loss(np.ones(3), np.ones(3))).value == 3


@pytest.mark.parametrize("make", [np.zeros, torch.zeros])
def test_nothing_left_means_no_loss_and_no_gradient(make):
    masked = weighted_mean(squared_error(make(3) + 5, make(3)), make(3))
    assert float(masked.value) == 0 and float(abs(masked.grad).sum()) == 0
    empty = mean(squared_error(make(0), make(0)))
    assert float(empty.value) == 0 and tuple(empty.grad.shape) == (0,)
    assert mean(cross_entropy(np.zeros((0, 3)), np.zeros(0, dtype=int))).value == 0


def test_half_precision_accumulates_in_float32():
    many = squared_error(torch.full((70_000,), 2.0, dtype=torch.float16), torch.ones(70_000, dtype=torch.float16))
    assert mean(many).value == 1.0 and mean(many).value.dtype == torch.float16  # the sum, 70000, is past float16
    ragged = squared_error(np.full(70_000, 2, dtype=np.float16), np.ones(70_000, dtype=np.float16))
    assert weighted_mean(ragged, np.ones(70_000, dtype=np.float16)).value == 1.0


def test_a_large_vocabulary_in_bfloat16_sums_in_float32():
    words = 2**18
    loss = cross_entropy(torch.zeros(2, words, dtype=torch.bfloat16), torch.tensor([0, words - 1]))
    assert loss.value.dtype == loss.grad.dtype == torch.bfloat16
    assert loss.value.tolist() == [12.5, 12.5]  # log 2^18 = 12.477, rounded once; a sum in bfloat16 stops at 256
    assert loss.grad[0, 1] == loss.grad[1, 0] == 2**-18 and loss.grad[0, 0] == loss.grad[1, -1] == -1


def test_rows_at_a_time_changes_nothing():
    z, k = RNG.normal(size=(37, 5)), RNG.integers(0, 5, 37)
    a, b = by_rows(cross_entropy, rows=8)(z, k), cross_entropy(z, k)
    np.testing.assert_array_equal(a.value, b.value)
    np.testing.assert_array_equal(a.grad, b.grad)


def steps(rule, g, n, theta=None):
    theta = np.zeros(np.shape(g)) if theta is None else theta
    state, path = rule.init(theta), [theta]
    for _ in range(n):
        theta, state = rule.update(theta, g, state)
        path.append(theta)
    return np.array(path)


def test_adams_first_step_is_the_sign_and_later_ones_too():
    g = np.array([1e-3, -1.0, 1e5])
    path = steps(Adam(lr=0.1, eps=0.0), g, 5)
    np.testing.assert_allclose(np.diff(path, axis=0), -0.1 * np.sign(g) * np.ones((5, 3)), rtol=1e-12)


def test_adam_does_not_see_the_scale_of_the_loss():
    g = RNG.normal(size=3)
    np.testing.assert_allclose(steps(Adam(0.1, eps=0.0), g, 20), steps(Adam(0.1, eps=0.0), 100 * g, 20), rtol=1e-12)


def test_adamw_without_decay_is_adam_and_with_it_is_not_l2():
    g, theta = RNG.normal(size=4), RNG.normal(size=4)
    np.testing.assert_array_equal(steps(AdamW(0.1, weight_decay=0.0), g, 9, theta), steps(Adam(0.1), g, 9, theta))
    still = steps(AdamW(0.1, weight_decay=0.5), np.zeros(4), 3, theta)[-1]
    np.testing.assert_allclose(still, 0.95**3 * theta, rtol=1e-13)  # the decay alone: (1 - lr wd)^t
    assert abs(steps(Adam(0.1, weight_decay=0.5), np.zeros(4), 3, theta)[-1] - still).max() > 0.05


def test_adams_longest_step():
    """A lone spike moves 3.16 lr at the defaults; gradients that grow by beta2 / beta1 reach the supremum, 7.27 lr."""

    def last_step(gradients):
        rule, theta = Adam(lr=1.0, eps=0.0), np.zeros(1)
        state = rule.init(theta)
        for g in gradients:
            before = theta
            theta, state = rule.update(theta, np.full(1, g), state)
        return abs(theta - before)[0]

    assert last_step([1e-100] * 20_000 + [1.0]) == pytest.approx(0.1 / np.sqrt(0.001), rel=1e-6)
    growing = (0.999 / 0.9) ** np.arange(-1000.0, 0.0)
    supremum = 0.1 / np.sqrt(0.001 * (1 - 0.9**2 / 0.999))
    assert last_step([1e-100] * 20_000 + list(growing)) == pytest.approx(supremum, rel=1e-6)


def test_amsgrad_never_forgets_a_large_gradient():
    rule = AMSGrad(0.1)
    state = rule.init(np.zeros(1))
    _, state = rule.update(np.zeros(1), np.full(1, 100.0), state)
    largest = state.v_max
    for _ in range(50):
        _, state = rule.update(np.zeros(1), np.full(1, 0.01), state)
    assert state.v_max == largest > state.v


def test_momentum_grows_to_the_geometric_sum():
    g = np.array([2.0])
    path = steps(Momentum(lr=0.1, momentum=0.9), g, 300)
    assert path[1] == -0.1 * g and path[300] - path[299] == pytest.approx(-0.1 * g / 0.1, rel=1e-9)


@pytest.mark.parametrize(("lr", "shrinks"), [(0.199, True), (0.201, False)])
def test_gradient_descent_is_stable_up_to_two_over_the_largest_curvature(lr, shrinks):
    hill, theta = landscapes.quadratic(1.0, 10.0), np.ones(2)
    for _ in range(500):
        theta, _ = SGD(lr).update(theta, hill.gradient(theta), SGD(lr).init(theta))
    assert (hill.value(theta) < hill.value(np.ones(2))) == shrinks


def test_each_lifts_a_rule_to_a_dict():
    rule, theta, g = Each(Adam(0.1)), {"a": np.ones(2), "b": np.zeros(3)}, {"b": np.ones(3), "a": np.ones(2)}
    new, state = rule.update(theta, g, rule.init(theta))
    np.testing.assert_allclose(new["a"], 0.9)
    assert state["b"].t == 1 and list(new) == ["a", "b"]
