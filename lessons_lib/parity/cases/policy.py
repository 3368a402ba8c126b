"""Losses that learn from rewards. The counterparts are the papers' objectives, with autograd."""

from functools import partial

import numpy as np
import torch

from ...core import in_first_dtype, mean
from ...losses import (
    cispo,
    entropy,
    group_advantage,
    gspo,
    kl_penalty,
    leave_one_out_advantage,
    ppo_clip,
    reinforce,
)
from ._case import LossCase, option_case


def _log_p(rng, *shape):
    return -1 - 2 * rng.random(shape)


def _tokens(rng):
    return _log_p(rng, 7, 5), rng.normal(size=(7, 5))


def _two_policies(rng):
    """Ratios on both sides of every bound, for advantages of both signs and one that is 0."""
    log_p, advantage = _tokens(rng)
    advantage[0, 0] = 0
    return log_p, log_p + rng.uniform(-0.9, 0.9, log_p.shape), advantage


def _near(rng):
    log_p = _log_p(rng, 7, 5)
    return log_p, log_p + rng.uniform(-0.9, 0.9, log_p.shape)


def _responses(rng):
    """Of 0 to 5 tokens; what follows them must not be read."""
    log_p, old_log_p = _near(rng)
    mask = np.arange(5) < np.array([5, 0, 1, 3, 5, 2, 4])[:, None]
    return log_p, np.where(mask, old_log_p, -50.0), rng.normal(size=7), mask.astype(float)


def _rewards(rng):
    """One group of equal rewards."""
    rewards = np.round(2 * rng.normal(size=(4, 6)), 1)
    rewards[1] = 0.5
    return _log_p(rng, 4, 6), rewards


def _logits(rng):
    return (2 * rng.normal(size=(9, 6)),)


def _surrogate(ratio, advantage, low, high):
    return -torch.min(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage)


def _torch_reinforce(log_p, advantage, reduction="none"):
    return -(advantage * log_p)


def _torch_ppo_clip(log_p, old_log_p, advantage, low=0.2, high=0.2, reduction="none"):
    return _surrogate(log_p.exp() / old_log_p.exp(), advantage, low, high)


def _torch_gspo(log_p, old_log_p, advantage, mask, low=3e-4, high=4e-4, reduction="none"):
    """The likelihoods of whole responses, and a root of as many tokens as each has."""
    n = mask.sum(-1)
    likelihood, old = (torch.where(mask > 0, a.exp(), 1.0).prod(-1) for a in (log_p, old_log_p))
    return _surrogate((likelihood / old) ** (1 / n.clamp(min=1)), advantage, low, high) * (n > 0)


def _torch_cispo(log_p, old_log_p, advantage, low=1.0, high=4.0, reduction="none"):
    w = (log_p.exp() / old_log_p.exp()).clamp(1 - low, 1 + high).detach()
    return -(w * advantage * log_p)


def _torch_kl_penalty(log_p, ref_log_p, reduction="none"):
    r = ref_log_p.exp() / log_p.exp()
    return (r - 1) - r.log()


def _with(advantage, **options):
    return in_first_dtype(lambda log_p, rewards: mean(reinforce(log_p, advantage(rewards, **options))))


def _torch_grpo(log_p, r, eps=1e-4):
    return -((r - r.mean(-1, keepdim=True)) / (r.std(-1, keepdim=True) + eps) * log_p).mean()


def _torch_dr_grpo(log_p, r):
    return -((r - r.mean(-1, keepdim=True)) * log_p).mean()


def _torch_rloo(log_p, r):
    return -((r - (r.sum(-1, keepdim=True) - r) / (r.shape[-1] - 1)) * log_p).mean()


_ppo, _gspo = (_two_policies, ppo_clip, _torch_ppo_clip), (_responses, gspo, _torch_gspo)

CASES: list[LossCase] = [
    option_case("reinforce", "plain", _tokens, reinforce, _torch_reinforce),
    LossCase("reinforce", "group_advantage", _rewards, _with(group_advantage), _torch_grpo),
    LossCase(
        "reinforce", "group_advantage, eps", _rewards, _with(group_advantage, eps=0.5), partial(_torch_grpo, eps=0.5)
    ),
    LossCase(
        "reinforce", "group_advantage, scale=False", _rewards, _with(group_advantage, scale=False), _torch_dr_grpo
    ),
    LossCase("reinforce", "leave_one_out_advantage", _rewards, _with(leave_one_out_advantage), _torch_rloo),
    option_case("ppo_clip", "plain", *_ppo),
    option_case("ppo_clip", "low, high", *_ppo, low=0.1, high=0.28),
    option_case("gspo", "plain", *_gspo),
    option_case("gspo", "low, high", *_gspo, low=0.2, high=0.3),
    LossCase("cispo", "plain", _two_policies, cispo, _torch_cispo, held=True),
    LossCase(
        "cispo",
        "low, high",
        _two_policies,
        partial(cispo, low=0.2, high=0.28),
        partial(_torch_cispo, low=0.2, high=0.28),
        held=True,
    ),
    option_case("kl_penalty", "plain", _near, kl_penalty, _torch_kl_penalty, far=8),
    LossCase("entropy", "plain", _logits, entropy, lambda z: torch.distributions.Categorical(logits=z).entropy()),
]
