"""What only the losses on preferences promise."""

import math

import numpy as np
import pytest
import torch

from lessons_lib.core import mean, weighted_mean
from lessons_lib.losses import (
    bradley_terry,
    cpo,
    dpo,
    ipo,
    kto,
    mean_log_p,
    orpo,
    robust_dpo,
    sequence_log_p,
    simpo,
)

INF, NAN = math.inf, math.nan
AGAINST_A_REFERENCE = [dpo, robust_dpo, ipo]
WITHOUT = [bradley_terry, orpo, simpo, cpo]
HALF = [torch.float16, torch.bfloat16]


def four(seed=0, n=5):
    ref = -np.random.default_rng(seed).uniform(5, 60, (2, n))
    policy = ref + 4 * np.random.default_rng(seed + 1).normal(size=(2, n))
    return *policy, *ref


def tensors(*rows, dtype=torch.float32):
    return [torch.tensor(row, dtype=dtype) for row in rows]


def pair_of(loss):
    """A loss on two log-probabilities; one against a reference of log-probability -1."""
    return loss if loss in WITHOUT else lambda a, b: loss(a, b, torch.full_like(a, -1), torch.full_like(b, -1))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_dpo_starts_at_log_2_and_moves(label_smoothing):
    _, _, a, b = four()
    loss = dpo(a, b, a, b, beta=0.3, label_smoothing=label_smoothing)
    assert np.array_equal(loss.value, np.full(5, math.log(2)))
    np.testing.assert_allclose(loss.grad.chosen, -0.3 * (0.5 - label_smoothing))
    np.testing.assert_allclose(loss.grad.rejected, 0.3 * (0.5 - label_smoothing))


def test_dpo_is_bradley_terry_on_the_rewards_that_the_policy_implies():
    a, b, ref_a, ref_b = four()
    ours, rewards = dpo(a, b, ref_a, ref_b, 0.5), bradley_terry(0.5 * (a - ref_a), 0.5 * (b - ref_b))
    np.testing.assert_allclose(ours.value, rewards.value, rtol=1e-14)
    np.testing.assert_allclose(ours.grad.chosen, 0.5 * rewards.grad.chosen, rtol=1e-14)


def test_only_differences_of_rewards_count_and_a_margin_is_asked_for_on_top():
    a, b = np.array([2.0, -1.0]), np.array([1.0, 3.0])
    np.testing.assert_allclose(bradley_terry(a + 7, b + 7).value, bradley_terry(a, b).value, rtol=1e-14)
    asked = bradley_terry(a, b, margin=np.array([1.0, 0.0]))
    assert asked.value[0] == math.log(2) and asked.value[1] == bradley_terry(a, b).value[1]


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_cdpo_has_its_minimum_at_the_log_odds_of_a_right_label(share):
    best = math.log((1 - share) / share)
    grad = [
        dpo(*tensors([z], [0.0], [0.0], [0.0], dtype=torch.float64), 1.0, share).grad.chosen.item()
        for z in (best - 0.1, best, best + 0.1)
    ]
    assert grad[0] < 0 < grad[2] and abs(grad[1]) < 1e-15


@pytest.mark.parametrize("noise", [0.1, 0.4])
def test_robust_dpo_is_dpo_in_the_mean_over_flipped_labels(noise):
    a, b, ref_a, ref_b = four()
    right, flipped = robust_dpo(a, b, ref_a, ref_b, 0.3, noise), robust_dpo(b, a, ref_b, ref_a, 0.3, noise)
    true = dpo(a, b, ref_a, ref_b, 0.3)
    np.testing.assert_allclose((1 - noise) * right.value + noise * flipped.value, true.value, rtol=1e-12)
    in_a = (1 - noise) * right.grad.chosen + noise * flipped.grad.rejected
    np.testing.assert_allclose(in_a, true.grad.chosen, rtol=1e-12)
    smoothed = (1 - noise) * dpo(a, b, ref_a, ref_b, 0.3).value + noise * dpo(b, a, ref_b, ref_a, 0.3).value
    assert np.all(abs(smoothed - true.value) > 1e-3)  # plain DPO on such labels has another mean


def test_ipo_is_content_at_a_finite_lead():
    a, b, ref_a, ref_b = tensors([3.0, 4.0, 8.0], [-2.0] * 3, [0.0] * 3, [0.0] * 3)
    loss = ipo(a, b, ref_a, ref_b, beta=0.1)  # the lead is to be 5
    assert loss.value.tolist() == [0, 1, 25] and loss.grad.chosen.tolist() == [0, 2, 10]
    assert ipo(a, a, b, b, beta=0.1).value.tolist() == [25] * 3


def test_kto_values_gains_and_losses_from_its_baseline():
    log_p, ref = np.array([-8.0, -8.0, -5.0, -5.0]), np.full(4, -10.0)
    labels = np.array([1, -1, 1, -1])
    loss = kto(log_p, ref, labels, 2.0, 1.0, 3.0, 0.5)
    np.testing.assert_allclose(loss.value[:2], [1.5, 0.25])  # at the baseline: half of each weight
    np.testing.assert_allclose(loss.grad[:2], [-0.75, 0.125])
    s = 1 / (1 + math.exp(-3))
    np.testing.assert_allclose(loss.value[2:], [3 * (1 - s), 0.5 * s])
    far = kto(*tensors([1e4, -1e4, -INF, -INF], [0.0] * 4), torch.tensor([-1, 1, 1, -1]), 0.0)
    assert far.value.tolist() == [1, 1, 1, 0] and not far.grad.any()


def test_orpo_known_values():
    loss = orpo(np.log([0.5]), np.log([0.25]), weight=2.0)  # odds of 1 and 1/3
    np.testing.assert_allclose(loss.value, math.log(2) + 2 * math.log(4 / 3))
    np.testing.assert_allclose(loss.grad.chosen, -1 - 2 * 0.25 / 0.5)
    np.testing.assert_allclose(loss.grad.rejected, 2 * 0.25 / 0.75)


def test_orpo_keeps_its_digits_where_a_response_is_nearly_certain():
    near = [-1e-9, -1e-9, -3.0, -1e-30], [-2e-9, -3.0, -1e-9, -2e-30]
    ours, exact = orpo(*tensors(*near)), orpo(*tensors(*near, dtype=torch.float64))
    for a, b in ((ours.value, exact.value), (ours.grad.chosen, exact.grad.chosen)):
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=0)
    torch.testing.assert_close(ours.grad.rejected.double(), exact.grad.rejected, rtol=1e-5, atol=0)
    assert exact.value[0].item() == pytest.approx(1e-9 + 0.1 * math.log(1.5))  # odds of 1e9 and 5e8


def test_orpo_of_a_certain_response():
    loss = orpo(*tensors([0.0, -1.0, 0.0, -INF, -INF], [-1.0, 0.0, 0.0, -1.0, -INF]))
    assert loss.value.tolist()[:2] == [0, INF] and loss.value[2].item() == pytest.approx(0.1 * math.log(2))
    assert loss.value.tolist()[3:] == [INF, INF]
    odds = 1 / (math.e - 1)
    expected = [-1 - 0.1 * odds, -1 - 0.1 / (1 - 1 / math.e), -INF, -1.1, -1.05]
    np.testing.assert_allclose(loss.grad.chosen, expected, rtol=1e-6)
    np.testing.assert_allclose(loss.grad.rejected, [0, INF, INF, 0.1 / (1 - 1 / math.e), 0.05], rtol=1e-6)


def test_simpo_s_margin_is_gamma_and_the_authors_ratio_is_gamma_over_beta():
    a, b = -np.array([1.0, 0.3]), -np.array([1.2, 2.0])
    logits = (a - b) - 0.5  # gamma_beta_ratio = 0.5
    np.testing.assert_allclose(simpo(a, b, beta=2.5, margin=1.25).value, np.log1p(np.exp(-2.5 * logits)))


def test_cpo_pulls_the_chosen_response_up_where_dpo_lets_both_fall():
    a, b = np.array([-50.0]), np.array([-90.0])
    zero = np.zeros(1)
    assert abs(dpo(a, b, zero, zero, 0.5).grad.chosen[0]) < 1e-8  # it leads, though it is unlikely
    assert cpo(a, b, 0.5, weight=0.7).grad.chosen[0] == pytest.approx(-0.7)


LOG_P = [[-1.0, -2.0, NAN, -INF], [-0.5, NAN, NAN, NAN], [NAN, -INF, INF, NAN]]
MASK = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8, torch.float32])
def test_masked_tokens_may_be_anything_and_a_response_of_none_is_0(dtype):
    log_p, mask = torch.tensor(LOG_P, dtype=torch.bfloat16), torch.tensor(MASK).to(dtype)
    assert sequence_log_p(log_p, mask).tolist() == [-3, -0.5, 0]
    assert mean_log_p(log_p, mask).tolist() == [-1.5, -0.5, 0] and mean_log_p(log_p, mask).dtype == torch.bfloat16
    assert sequence_log_p(torch.tensor([-1.0, -INF]), torch.tensor([1, 1]).to(dtype)).item() == -INF


def test_sums_favour_the_short_and_means_do_not():
    log_p, mask = np.full((2, 6), -0.5), np.array([[1] * 2 + [0] * 4, [1] * 6])
    assert sequence_log_p(log_p, mask).tolist() == [-1, -3] and mean_log_p(log_p, mask).tolist() == [-0.5, -0.5]


def test_a_long_response_is_summed_in_float32_and_rounded_once():
    log_p = torch.full((1, 5000), -0.01, dtype=torch.float16)
    assert sequence_log_p(log_p, torch.ones(1, 5000)).item() == pytest.approx(-50, rel=2e-3)


@pytest.mark.parametrize("dtype", [*HALF, torch.float32])
@pytest.mark.parametrize("loss", [*AGAINST_A_REFERENCE, *WITHOUT])
def test_a_policy_far_below_its_reference_gives_finite_gradients(loss, dtype):
    found = pair_of(loss)(*tensors([-1e4, -5.0, -1e4], [-5.0, -1e4, -1e4], dtype=dtype))
    assert all(g.isfinite().all() and g.dtype == dtype for g in found.grad)
    assert dtype == torch.float16 or found.value.isfinite().all()


@pytest.mark.parametrize("loss", [bradley_terry, dpo, robust_dpo, simpo, cpo])
def test_a_response_without_any_chance(loss):
    """-inf for the chosen one: inf, with the slope of a pair that is far on the wrong side; for both: NaN."""
    a, b = tensors([-INF, -1.0, -INF], [-1.0, -INF, -INF])
    found, far = pair_of(loss)(a, b), pair_of(loss)(a.clip(-1e30), b.clip(-1e30))
    assert found.value[0] == INF and found.value[2].isnan()
    for g, like in zip(found.grad, far.grad, strict=True):
        assert g.tolist()[:2] == like.tolist()[:2]
    if loss not in (robust_dpo, cpo):  # the one rewards it without end, the other asks for a likely response
        assert found.value[1] == 0 and found.grad.chosen[1] == 0


@pytest.mark.parametrize("loss", [*AGAINST_A_REFERENCE, *WITHOUT])
def test_a_pair_of_weight_0_or_an_empty_batch_costs_nothing(loss):
    weighed = weighted_mean(pair_of(loss)(*tensors([-INF, -2.0], [-INF, -1.0])), torch.tensor([0.0, 1.0]))
    assert weighed.value.isfinite() and weighed.grad.chosen[0] == weighed.grad.rejected[0] == 0
    empty = mean(pair_of(loss)(*tensors([], [])))
    assert empty.value == 0 and empty.grad.chosen.shape == (0,)


def test_the_hardest_pairs_of_dpo_pull_the_most():
    a, b, ref_a, ref_b = tensors([-9.0, -1.0, 7.0], [0.0] * 3, [0.0] * 3, [0.0] * 3)
    pull = -dpo(a, b, ref_a, ref_b, 1.0).grad.chosen
    assert pull[0] > pull[1] > pull[2] > 0


ONE, TWO, SIGNS = np.full(3, -1.0), np.full(2, -1.0), np.array([1, -1, 1])
TOKENS = np.full((3, 4), -1.0)
REFUSED = [
    (lambda: bradley_terry(ONE, TWO), ValueError, r"equal, got chosen \(3,\), rejected \(2,\)"),
    (lambda: bradley_terry(ONE, ONE, -1.0), ValueError, "margin=-1.0 is not allowed; it must be a finite number >= 0"),
    (lambda: bradley_terry(ONE, ONE, TWO + 3), ValueError, r"margin must be a number or shaped like chosen, \(3,\)"),
    (lambda: bradley_terry(SIGNS, ONE), TypeError, "chosen must be a floating point array, got dtype int64"),
    (lambda: dpo(ONE, ONE, ONE, TWO), ValueError, r"equal, got .*ref_chosen \(3,\), ref_rejected \(2,\)"),
    (lambda: dpo(TOKENS, TOKENS, TOKENS, TOKENS), ValueError, r"chosen \(N\).*got chosen \(3, 4\)"),
    (lambda: dpo(ONE, ONE, ONE, ONE, beta=0.0), ValueError, "beta=0.0 is not allowed; it must be a finite number > 0"),
    (lambda: dpo(ONE, ONE, ONE, ONE, label_smoothing=0.5), ValueError, r"label_smoothing=0.5 .* lie in \[0, 0.5\)"),
    (lambda: robust_dpo(ONE, ONE, ONE, ONE, noise=0.5), ValueError, r"noise=0.5 is not allowed; it must lie in"),
    (lambda: ipo(ONE, ONE, ONE, ONE, beta=-0.1), ValueError, "beta=-0.1"),
    (lambda: kto(ONE, TWO, SIGNS, 0.0), ValueError, r"got log_p \(3,\), ref_log_p \(2,\)"),
    (lambda: kto(ONE, ONE, SIGNS, -0.1), ValueError, "baseline=-0.1 is not allowed; it must be a finite number >= 0"),
    (lambda: kto(ONE, ONE, SIGNS > 0, 0.0), TypeError, "labels must be integers, got dtype bool"),
    (lambda: kto(ONE, ONE, SIGNS * 0, 0.0), ValueError, r"labels must be \+1 or -1"),
    (lambda: kto(ONE, ONE, SIGNS, 0.0, undesirable_weight=-1.0), ValueError, "undesirable_weight=-1.0"),
    (lambda: orpo(-ONE, ONE), ValueError, r"chosen must lie in \[-inf, 0\] .*got 1.0"),
    (lambda: orpo(ONE, -ONE), ValueError, r"rejected must lie in \[-inf, 0\] .*got 1.0"),
    (lambda: orpo(ONE, ONE, weight=0.0), ValueError, "weight=0.0 is not allowed; it must be a finite number > 0"),
    (lambda: simpo(ONE, ONE, margin=-1.0), ValueError, "margin=-1.0"),
    (lambda: simpo(ONE, TWO), ValueError, r"got chosen \(3,\), rejected \(2,\)"),
    (lambda: cpo(ONE, ONE, weight=NAN), ValueError, "weight=nan"),
    (lambda: sequence_log_p(TOKENS, ONE), ValueError, r"got log_p \(3, 4\), mask \(3,\)"),
    (lambda: sequence_log_p(TOKENS, TOKENS), ValueError, r"mask must lie in \[0, 1\] and hold no NaN, got -1.0"),
    (lambda: mean_log_p(TOKENS, TOKENS + 3), ValueError, r"mask must lie in \[0, 1\]"),
    (lambda: mean_log_p(SIGNS, SIGNS), TypeError, "log_p must be a floating point array"),
]


@pytest.mark.parametrize(("call", "error", "says"), REFUSED)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("loss", WITHOUT)
def test_nan_shows(loss):
    assert loss(*tensors([NAN], [-1.0])).value.isnan().all()
