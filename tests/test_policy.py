"""What only the losses that learn from rewards promise: their bounds, their means over samples, their averages."""

import math

import numpy as np
import pytest
import torch

from lessons_lib.core import Loss, mean, weighted_mean
from lessons_lib.losses import (
    cispo,
    cross_entropy,
    entropy,
    group_advantage,
    gspo,
    kl_penalty,
    leave_one_out_advantage,
    ppo_clip,
    reinforce,
)

INF, NAN = math.inf, math.nan


def f(*numbers, dtype=torch.float64):
    return torch.tensor(numbers, dtype=dtype)


def at(ratio, advantage, fn=ppo_clip, **options):
    """Value and gradient of one token whose probability was 0.25, and has become ratio times that."""
    loss = fn(np.log(np.array([0.25 * ratio])), np.log(np.array([0.25])), np.array([advantage]), **options)
    return loss.value[0], loss.grad[0]


# --- One token --------------------------------------------------------------------------------------------------------


def test_known_values():
    loss = reinforce(np.log(np.array([0.5, 0.5])), np.array([2.0, -1.0]))
    np.testing.assert_allclose(loss.value, [2 * math.log(2), -math.log(2)])
    assert loss.grad.tolist() == [-2, 1]
    loss = kl_penalty(np.log(np.array([0.5, 0.25])), np.log(np.array([0.25, 0.5])))
    np.testing.assert_allclose(loss.value, [math.log(2) - 0.5, 1 - math.log(2)])
    np.testing.assert_allclose(loss.grad, [0.5, -1])  # down where the reference is less sure, up where it is more


@pytest.mark.parametrize(
    ("ratio", "advantage", "value", "grad"),
    [
        (1.0, 2.0, -2, -2),
        (1.1, 2.0, -2.2, -2.2),
        (1.5, 2.0, -2.4, 0),  # likely enough already
        (0.5, 2.0, -1, -1),  # back to where it came from
        (1.1, -2.0, 2.2, 2.2),
        (0.5, -2.0, 1.6, 0),  # unlikely enough already
        (1.5, -2.0, 3, 3),
        (1.5, 0.0, 0, 0),
    ],
)
def test_ppo_clips_only_what_moved_the_way_it_was_pushed(ratio, advantage, value, grad):
    assert at(ratio, advantage) == pytest.approx((value, grad))


def test_each_bound_is_an_option_of_its_own():
    assert at(1.25, 1.0)[1] == 0 and at(1.25, 1.0, high=0.28)[1] == pytest.approx(-1.25)
    assert at(0.75, -1.0, high=0.28)[1] == 0 and at(0.75, -1.0, low=0.3)[1] == pytest.approx(0.75)


def test_at_the_kink_the_gradient_is_that_of_the_clipped_side():
    log_p, old_log_p = np.log(np.array([1.5, 0.5])), np.zeros(2)  # ratios that are exact in binary
    assert np.exp(log_p).tolist() == [1.5, 0.5]
    loss = ppo_clip(log_p, old_log_p, np.array([1.0, -1.0]), low=0.5, high=0.5)
    assert loss.value.tolist() == [-1.5, 0.5] and loss.grad.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_log_ratios_of_1e4_have_an_answer(dtype):
    log_p, old_log_p = f(0, 0, 0, -1e4, -1e4, -1e4, dtype=dtype), f(-1e4, -1e4, -1e4, 0, 0, 0, dtype=dtype)
    advantage = f(1, 0, -1, 1, 0, -1, dtype=dtype)
    loss = ppo_clip(log_p, old_log_p, advantage, low=0.5, high=0.5)
    assert loss.value.tolist() == [-1.5, 0, INF, 0, 0, 0.5] and loss.grad.tolist() == [0, 0, INF, 0, 0, 0]
    loss = gspo(log_p[:, None], old_log_p[:, None], advantage, torch.ones(6, 1), low=0.5, high=0.5)
    assert loss.value.tolist() == [-1.5, 0, INF, 0, 0, 0.5] and loss.grad[:, 0].tolist() == [0, 0, INF, 0, 0, 0]
    loss = cispo(log_p, old_log_p, advantage, high=1.0)
    assert loss.value.tolist() == [0, 0, 0, 0, 0, 0] and loss.grad.tolist() == [-2, 0, 2, 0, 0, 0]


def test_at_the_old_policy_all_of_them_are_reinforce():
    rng = np.random.default_rng(0)
    log_p, advantage = -rng.random((3, 4)), rng.normal(size=(3, 4))
    wanted = reinforce(log_p, advantage).grad
    np.testing.assert_array_equal(wanted, -advantage)
    for fn in (ppo_clip, cispo):
        np.testing.assert_allclose(fn(log_p, log_p, advantage).grad, wanted)
    one = gspo(log_p, log_p, advantage[:, 0], np.ones((3, 4)))
    np.testing.assert_allclose(one.grad, np.repeat(wanted[:, :1], 4, axis=1) / 4)


@pytest.mark.parametrize("advantage", [1.5, -1.5])
def test_cispo_keeps_a_gradient_where_ppo_has_none(advantage):
    for ratio in (0.01, 0.5, 0.9, 1.1, 1.5, 100.0):
        (_, ours), (_, ppo) = at(ratio, advantage, cispo, low=0.2, high=0.28), at(ratio, advantage, high=0.28)
        assert ours == pytest.approx(-min(max(ratio, 0.8), 1.28) * advantage)
        assert not 0.8 < ratio < 1.28 or ours == pytest.approx(ppo)
    assert at(0.01, advantage, cispo)[1] == pytest.approx(-0.01 * advantage)  # no lower bound unless asked for


def test_the_value_of_cispo_has_another_slope():
    (ahead, grad), (behind, _) = at(1.1, 1.0, cispo), at(1.1 * math.exp(-1e-6), 1.0, cispo)
    assert grad == pytest.approx(-1.1)
    assert (ahead - behind) / 1e-6 == pytest.approx(-1.1 * (1 + math.log(0.25 * 1.1)), rel=1e-4)


def test_an_advantage_of_0_costs_nothing_whatever_the_log_probability():
    odd, zero = f(-INF, NAN, INF), f(0, 0, 0)
    for loss in (reinforce(odd, zero), ppo_clip(odd, f(-1, -1, -1), zero)):
        assert not loss.value.any() and not loss.grad.any()


# --- One response -----------------------------------------------------------------------------------------------------


def test_gspo_takes_the_geometric_mean_of_its_tokens_ratios():
    ratios, mask = np.array([[2.0, 0.5, 4.0, 99.0]]), np.array([[True, True, True, False]])
    loss = gspo(np.log(ratios), np.zeros((1, 4)), np.array([-3.0]), mask)
    s = 4 ** (1 / 3)
    assert loss.value[0] == pytest.approx(3 * s)
    np.testing.assert_allclose(loss.grad, [[s, s, s, 0]])


def test_gspo_with_one_token_is_ppo():
    rng = np.random.default_rng(0)
    log_p, old_log_p, advantage = -rng.random(9), -rng.random(9), rng.normal(size=9)
    one = gspo(log_p[:, None], old_log_p[:, None], advantage, np.ones((9, 1), dtype=int), 0.2, 0.3)
    token = ppo_clip(log_p, old_log_p, advantage, 0.2, 0.3)
    np.testing.assert_allclose(one.value, token.value)
    np.testing.assert_allclose(one.grad[:, 0], token.grad)


def test_gspo_reads_nothing_under_the_mask_and_an_empty_response_costs_nothing():
    log_p, mask = f([-1, NAN, -INF], [-1, NAN, -1]), torch.tensor([[1, 0, 0], [0, 0, 0]])
    loss = gspo(log_p, torch.zeros(2, 3, dtype=torch.float64), f(-2, -2), mask)
    np.testing.assert_allclose(loss.value, [2 * (1 - 3e-4), 0])
    assert not loss.grad.any()
    loss = gspo(log_p, torch.zeros(2, 3, dtype=torch.float64), f(2, 2), mask)
    np.testing.assert_allclose(loss.value, [-2 * math.exp(-1), 0])
    np.testing.assert_allclose(loss.grad, [[-2 * math.exp(-1), 0, 0], [0, 0, 0]])


# --- Means over samples -----------------------------------------------------------------------------------------------


LOGITS, REFERENCE = np.array([0.3, -1.0, 1.2, 0.1]), np.array([1.0, 0.0, -0.5, 0.2])


def log_softmax(z):
    return z - np.log(np.exp(z).sum())


def through_the_softmax(grad):
    """The expectation over tokens of a gradient in log p, as one in the logits: sum_i p_i g_i (onehot(i) - p)."""
    p = np.exp(log_softmax(LOGITS))
    return p * grad - p * np.sum(p * grad)


def slope(value, z):
    return np.array([(value(z + d) - value(z - d)) / 2e-6 for d in 1e-6 * np.eye(len(z))])


def test_the_mean_of_reinforce_is_minus_the_gradient_of_the_expected_reward():
    reward = np.array([1.0, 0.0, 3.0, -2.0])
    for baseline in (0.0, 0.7):  # which a baseline does not change
        ours = through_the_softmax(reinforce(log_softmax(LOGITS), reward - baseline).grad)
        np.testing.assert_allclose(ours, -slope(lambda z: np.exp(log_softmax(z)) @ reward, LOGITS), atol=1e-9)


def test_the_mean_of_the_kl_penalty_is_the_kl_divergence_and_its_gradient_is_another():
    log_p, ref_log_p = log_softmax(LOGITS), log_softmax(REFERENCE)
    kl = np.exp(log_p) @ (log_p - ref_log_p)
    loss = kl_penalty(log_p, ref_log_p)
    assert np.exp(log_p) @ loss.value == pytest.approx(kl)
    real = slope(lambda z: np.exp(log_softmax(z)) @ (log_softmax(z) - ref_log_p), LOGITS)
    np.testing.assert_allclose(through_the_softmax(log_p - ref_log_p), real, atol=1e-9)  # k2's
    assert np.abs(through_the_softmax(loss.grad) - real).max() > 0.1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_kl_penalty_is_never_negative_and_keeps_its_digits_near_0(dtype):
    d = torch.cat([s * torch.logspace(-12, 1, 500, dtype=dtype) for s in (1, -1)])
    loss = kl_penalty(torch.zeros_like(d), d)
    assert bool((loss.value >= 0).all()) and kl_penalty(d, d).value.tolist() == [0] * len(d)
    small = d.abs() < 1e-5
    series = (d**2 / 2 + d**3 / 6 + d**4 / 24)[small]
    torch.testing.assert_close(loss.value[small], series, rtol=8 * torch.finfo(dtype).eps, atol=0)
    exact = torch.special.expm1(d.double()) - d.double()
    torch.testing.assert_close(loss.value[~small].double(), exact[~small], rtol=8 * torch.finfo(dtype).eps, atol=1e-15)


def test_known_entropies():
    loss = entropy(f([0, 0, 0, 0], [0, 0, -INF, -INF], [1e4, 0, 0, 0]))
    assert loss.value.tolist() == pytest.approx([math.log(4), math.log(2), 0])
    np.testing.assert_allclose(loss.grad, np.zeros((3, 4)), atol=1e-15)
    p = np.array([0.9, 0.1])
    assert entropy(np.log(p)[None]).value[0] == pytest.approx(0.325083, abs=1e-6)
    assert entropy(np.log(p)[None]).grad[0, 0] == pytest.approx(-0.9 * (math.log(0.9) + 0.325083), abs=1e-6)


def test_entropy_is_the_mean_of_cross_entropy_over_the_policys_own_samples():
    p = np.exp(log_softmax(LOGITS))
    each = cross_entropy(np.tile(LOGITS, (4, 1)), np.arange(4)).value
    assert entropy(LOGITS).value == pytest.approx(p @ each)


# --- Advantages -------------------------------------------------------------------------------------------------------

REWARDS = np.array([[1.0, 0.0, 1.0, 0.0], [0.1, 0.1, 0.1, 0.1], [3.0, -1.0, 0.5, 0.5]])


def test_known_advantages():
    np.testing.assert_allclose(group_advantage(REWARDS, scale=False)[0], [0.5, -0.5, 0.5, -0.5])
    std = math.sqrt(1 / 3)  # 0.577: of four, divided by three; divided by four it would be 0.5
    np.testing.assert_allclose(group_advantage(REWARDS)[0], np.array([1, -1, 1, -1]) * 0.5 / (std + 1e-4))
    np.testing.assert_allclose(leave_one_out_advantage(REWARDS)[0], np.array([1, -1, 1, -1]) * 2 / 3)
    np.testing.assert_allclose(leave_one_out_advantage(REWARDS)[2, 0], 3 - 0 / 3)


@pytest.mark.parametrize("advantage", [group_advantage, leave_one_out_advantage, lambda r: group_advantage(r, False)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_equal_rewards_give_exactly_0_and_every_group_sums_to_0(advantage, dtype):
    a = advantage(torch.tensor(REWARDS, dtype=dtype))
    assert a.dtype == dtype and a[1].tolist() == [0] * 4
    assert not any(advantage(torch.full((1, n), 0.7, dtype=dtype)).any() for n in range(2, 40))
    torch.testing.assert_close(a.double().sum(-1), torch.zeros(3).double(), rtol=0, atol=8 * torch.finfo(dtype).eps)
    for size in (1e20, -1e20, 3e38):  # computed in float32, for all but float64
        far = advantage(torch.tensor([[size, 0.0, size, -size], [size] * 4], dtype=torch.float32))
        exact = advantage(torch.tensor([[size, 0.0, size, -size], [size] * 4], dtype=torch.float64))
        torch.testing.assert_close(far, exact.float(), rtol=1e-5, atol=0)
        assert far[1].tolist() == [0] * 4


def test_the_scale_of_rewards_is_gone_from_grpo_and_stays_in_dr_grpo():
    scaled, plain = (lambda r: group_advantage(r, eps=1e-12)), (lambda r: group_advantage(r, scale=False))
    np.testing.assert_allclose(scaled(REWARDS + 7), scaled(REWARDS), atol=1e-9)
    np.testing.assert_allclose(scaled(100 * REWARDS)[[0, 2]], scaled(REWARDS)[[0, 2]])
    np.testing.assert_allclose(plain(100 * REWARDS), 100 * plain(REWARDS))
    np.testing.assert_allclose(group_advantage(100 * REWARDS, eps=50.0), group_advantage(REWARDS, eps=0.5), atol=1e-15)


def test_the_mean_of_all_shrinks_the_gradient_that_leaving_one_out_keeps():
    """Every pair of samples, by its probability: RLOO's mean is the gradient, Dr. GRPO's is half of it."""
    p, reward = np.exp(log_softmax(LOGITS)), np.array([1.0, 0.0, 3.0, -2.0])
    i, j = (a.reshape(-1) for a in np.meshgrid(np.arange(4), np.arange(4)))
    pairs = np.stack([reward[i], reward[j]], axis=-1)
    real = through_the_softmax(-reward)
    for advantage, share in ((leave_one_out_advantage(pairs), 1), (group_advantage(pairs, scale=False), 1 / 2)):
        grad = sum(
            w * (-a[0] * (np.eye(4)[k] - p) - a[1] * (np.eye(4)[m] - p)) / 2
            for w, a, k, m in zip(p[i] * p[j], advantage, i, j, strict=True)
        )
        np.testing.assert_allclose(grad, share * real)


# --- Averages over a batch --------------------------------------------------------------------------------------------


def test_the_three_averages_are_weights():
    rng = np.random.default_rng(0)
    mask = np.arange(6) < np.array([6, 2, 0, 3])[:, None]
    log_p, old_log_p = np.where(mask, -rng.random((4, 6)), np.nan), -rng.random((4, 6))
    advantage = np.where(mask, rng.normal(size=(4, 1)), 0.0)
    loss = ppo_clip(log_p, old_log_p, advantage)
    each, n = np.where(mask, loss.value, 0), mask.sum(-1, keepdims=True)
    dapo, grpo = weighted_mean(loss, mask), weighted_mean(loss, mask / np.maximum(n, 1))
    dr_grpo = mean(loss)
    assert dapo.value == pytest.approx(each.sum() / 11)
    assert grpo.value == pytest.approx(np.mean([each[k].sum() / n[k, 0] for k in (0, 1, 3)]))  # an empty one counts 0
    assert dr_grpo.value == pytest.approx(each.sum() / (4 * 6))
    for total, share in ((dapo, 1 / 11), (grpo, 1 / np.maximum(n, 1) / 3), (dr_grpo, 1 / 24)):
        np.testing.assert_allclose(total.grad, np.where(mask, loss.grad, 0) * share)
    nothing = weighted_mean(Loss(loss.value, loss.grad), np.zeros((4, 6)))
    assert nothing.value == 0 and not nothing.grad.any()


# --- Bad input --------------------------------------------------------------------------------------------------------

P, A, ONE = -np.ones((2, 3)), np.ones((2, 3)), np.ones(2)

BAD = [
    (lambda: reinforce(P, ONE), ValueError, r"shapes must be equal, got log_p \(2, 3\), advantage \(2,\)"),
    (lambda: reinforce(P, A.astype(int)), TypeError, "advantage must be a floating point array, got dtype int"),
    (lambda: ppo_clip(P, P[:1], A), ValueError, r"equal, got log_p \(2, 3\), old_log_p \(1, 3\)"),
    (lambda: ppo_clip(P, P, A[:, :1]), ValueError, r"equal, got .* advantage \(2, 1\)"),
    (lambda: ppo_clip(P, P, A, low=1.0), ValueError, r"low=1.0 is not allowed; it must lie in \[0, 1\)"),
    (lambda: ppo_clip(P, P, A, low=-0.1), ValueError, "low=-0.1"),
    (lambda: ppo_clip(P, P, A, high=-0.1), ValueError, "high=-0.1 is not allowed; it must be a finite number >= 0"),
    (lambda: ppo_clip(P, P, A, high=INF), ValueError, "high=inf"),
    (lambda: cispo(P, P, A, low=1.5), ValueError, r"low=1.5 is not allowed; it must lie in \[0, 1\]"),
    (lambda: cispo(P, P, A, high=NAN), ValueError, "high=nan"),
    (lambda: gspo(P, P, A, A), ValueError, r"advantage \(\.\.\.\).*got .*advantage \(2, 3\)"),
    (lambda: gspo(P, P, ONE, ONE), ValueError, r"mask \(\.\.\., T\).*got .*mask \(2,\)"),
    (lambda: gspo(P, P, ONE, 2 * A), ValueError, r"mask must lie in \[0, 1\] and hold no NaN, got 2.0"),
    (lambda: gspo(P[:, :0], P[:, :0], ONE, A[:, :0]), ValueError, "T >= 1"),
    (lambda: gspo(P, P, ONE, A, low=1.0), ValueError, "low=1.0"),
    (lambda: kl_penalty(P, P[0]), ValueError, r"equal, got log_p \(2, 3\), ref_log_p \(3,\)"),
    (lambda: entropy(P[:, :0]), ValueError, r"logits \(\.\.\., C\), C >= 1; got logits \(2, 0\)"),
    (lambda: group_advantage(A[:, :1]), ValueError, r"rewards must hold groups of at least 2, .* got \(2, 1\)"),
    (lambda: group_advantage(A[:, :0]), ValueError, r"rewards \(\.\.\., G\), G >= 1; got rewards \(2, 0\)"),
    (lambda: group_advantage(A, eps=0.0), ValueError, "eps=0.0 is not allowed; it must be a finite number > 0"),
    (lambda: group_advantage(A, scale=1), ValueError, "scale=1 is not allowed; it must be True or False"),
    (lambda: group_advantage(A.astype(int)), TypeError, "rewards must be a floating point array, got dtype int"),
    (lambda: leave_one_out_advantage(A[:, :1]), ValueError, "rewards must hold groups of at least 2"),
]


@pytest.mark.parametrize(("call", "error", "says"), BAD)
def test_bad_input(call, error, says):
    with pytest.raises(error, match=says):
        call()
