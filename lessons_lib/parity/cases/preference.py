"""Losses on preferences: pairs of responses, or responses called desirable or not."""

import numpy as np
import torch
import torch.nn.functional as F

from ...core import Loss, array_namespace, in_first_dtype, mean
from ...losses import (
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
from ...losses._preference import PreferenceGrad
from ._case import LossCase, option_case, reductions


def _rewards(rng):
    return 3 * rng.normal(size=9), 3 * rng.normal(size=9)


def _rewards_and_margins(rng):
    return *_rewards(rng), 3 * rng.random(9)


def _responses(rng):
    """chosen, rejected, ref_chosen, ref_rejected: sums over some tokens, the policy not far from the reference."""
    ref = -rng.uniform(5, 60, (2, 9))
    return *-np.abs(ref + 8 * rng.normal(size=(2, 9))), *ref


def _labelled(rng):
    log_p, _, ref, _ = _responses(rng)
    return log_p, ref, 2 * rng.integers(0, 2, 9) - 1


def _policy(rng):
    return _responses(rng)[:2]


def _means(rng):
    return -3 * rng.random(9) - 0.01, -3 * rng.random(9) - 0.01


def _tokens(rng):
    """Tokens of chosen and rejected responses, and which of them count: in one row none does."""
    log_p = -3 * rng.random((2, 9, 7)) - 0.01
    length = rng.integers(1, 8, (2, 9))
    length[0, 4] = 0
    return *log_p, *(np.arange(7) < length[..., None]).astype(float)


def _reduce(each, reduction):
    return each if reduction == "none" else getattr(each, reduction)()


def _won(z, share=1.0):
    """-share log sigmoid(z) - (1 - share) log sigmoid(-z), as PyTorch's loss of a label."""
    return F.binary_cross_entropy_with_logits(z, torch.full_like(z, share), reduction="none")


def _torch_bradley_terry(a, b, margin=0.0, reduction="none"):
    return _reduce(_won(a - b - margin), reduction)


def _log_ratios(a, b, ref_a, ref_b):
    """log of (pi(a) / pi(b)) / (ref(a) / ref(b))."""
    return (a - b) - (ref_a - ref_b)


def _torch_dpo(*a, beta=0.1, label_smoothing=0.0, reduction="none"):
    return _reduce(_won(beta * _log_ratios(*a), 1 - label_smoothing), reduction)


def _torch_robust_dpo(*a, beta=0.1, noise=0.1, reduction="none"):
    z = beta * _log_ratios(*a)
    return _reduce(((1 - noise) * _won(z) - noise * _won(-z)) / (1 - 2 * noise), reduction)


def _torch_ipo(*a, beta=0.1, reduction="none"):
    h = _log_ratios(*a)
    return F.mse_loss(h, torch.full_like(h, 1 / (2 * beta)), reduction=reduction)


def _kto(*a, **options):
    return kto(*a, **{"baseline": 0.7, **options})


def _torch_kto(a, ref, y, baseline=0.7, beta=0.1, desirable_weight=1.0, undesirable_weight=1.0, reduction="none"):
    """The paper's lambda_y - v, with its v of a desirable and an undesirable response."""
    reward = a - ref
    gain = desirable_weight * (1 - torch.sigmoid(beta * (reward - baseline)))
    loss = undesirable_weight * (1 - torch.sigmoid(beta * (baseline - reward)))
    return _reduce(torch.where(y == 1, gain, loss), reduction)


def _torch_orpo(a, b, weight=0.1, reduction="none"):
    """From the probabilities: -log p and -log sigmoid of the log odds ratio."""
    return _reduce(-a + weight * _won(torch.logit(a.exp()) - torch.logit(b.exp())), reduction)


def _torch_simpo(a, b, beta=2.0, margin=1.0, reduction="none"):
    return _reduce(_won(beta * a - beta * b - margin), reduction)


def _torch_cpo(a, b, beta=0.1, weight=1.0, reduction="none"):
    return _reduce(_won(beta * a - beta * b) - weight * a, reduction)


def _to_tokens(loss, *shares):
    """The gradient that reaches each token: its share of its response's."""
    return mean(Loss(loss.value, PreferenceGrad(*(g[:, None] * m for g, m in zip(loss.grad, shares, strict=True)))))


@in_first_dtype
def _cpo_of_tokens(a, b, mask_a, mask_b):
    return _to_tokens(cpo(sequence_log_p(a, mask_a), sequence_log_p(b, mask_b)), mask_a, mask_b)


@in_first_dtype
def _simpo_of_tokens(a, b, mask_a, mask_b):
    xp = array_namespace(a)
    lengths = (xp.clip(xp.sum(m, axis=-1, keepdims=True), min=1) for m in (mask_a, mask_b))
    loss = simpo(mean_log_p(a, mask_a), mean_log_p(b, mask_b))
    return _to_tokens(loss, *(m / n for m, n in zip((mask_a, mask_b), lengths, strict=True)))


def _torch_responses(log_p, mask):
    """Each response cut out, a list of vectors of unequal lengths."""
    return [row[kept] for row, kept in zip(log_p, mask > 0, strict=True)]


def _torch_sums(log_p, mask):
    return torch.stack([row.sum() for row in _torch_responses(log_p, mask)])


def _torch_means(log_p, mask):
    return torch.stack([row.mean() if len(row) else row.sum() for row in _torch_responses(log_p, mask)])


_bt, _dpo = (_rewards, bradley_terry, _torch_bradley_terry), (_responses, dpo, _torch_dpo)
_robust, _ipo = (_responses, robust_dpo, _torch_robust_dpo), (_responses, ipo, _torch_ipo)
_desirable, _orpo = (_labelled, _kto, _torch_kto), (_means, orpo, _torch_orpo)
_simpo, _cpo = (_means, simpo, _torch_simpo), (_policy, cpo, _torch_cpo)

CASES: list[LossCase] = [
    *reductions("bradley_terry", *_bt, inputs=2),
    option_case("bradley_terry", "margin", *_bt, inputs=2, margin=1.5),
    LossCase(
        "bradley_terry",
        "margin, one per pair",
        _rewards_and_margins,
        bradley_terry,
        _torch_bradley_terry,
        inputs=2,
    ),
    *reductions("dpo", *_dpo, inputs=2),
    option_case("dpo", "beta", *_dpo, inputs=2, beta=0.5),
    option_case("dpo", "label_smoothing", *_dpo, inputs=2, label_smoothing=0.2),
    *reductions("robust_dpo", *_robust, inputs=2),
    option_case("robust_dpo", "beta", *_robust, inputs=2, beta=0.5),
    option_case("robust_dpo", "noise", *_robust, inputs=2, noise=0.3),
    option_case("robust_dpo", "noise=0", *_robust, inputs=2, noise=0.0),
    *reductions("ipo", *_ipo, inputs=2),
    option_case("ipo", "beta", *_ipo, inputs=2, beta=0.5),
    *reductions("kto", *_desirable),
    option_case("kto", "baseline", *_desirable, baseline=3.0),
    option_case("kto", "beta", *_desirable, beta=0.5),
    option_case("kto", "weights", *_desirable, desirable_weight=1.5, undesirable_weight=0.25),
    *reductions("orpo", *_orpo, inputs=2),
    option_case("orpo", "weight", *_orpo, inputs=2, weight=0.7),
    *reductions("simpo", *_simpo, inputs=2),
    option_case("simpo", "beta", *_simpo, inputs=2, beta=0.5),
    option_case("simpo", "margin", *_simpo, inputs=2, margin=0.25),
    LossCase(
        "simpo",
        "mean_log_p",
        _tokens,
        _simpo_of_tokens,
        lambda a, b, mask_a, mask_b: _torch_simpo(_torch_means(a, mask_a), _torch_means(b, mask_b), reduction="mean"),
        inputs=2,
    ),
    *reductions("cpo", *_cpo, inputs=2),
    option_case("cpo", "beta", *_cpo, inputs=2, beta=0.5),
    option_case("cpo", "weight", *_cpo, inputs=2, weight=0.3),
    LossCase(
        "cpo",
        "sequence_log_p",
        _tokens,
        _cpo_of_tokens,
        lambda a, b, mask_a, mask_b: _torch_cpo(_torch_sums(a, mask_a), _torch_sums(b, mask_b), reduction="mean"),
        inputs=2,
    ),
]
