"""Losses of language models: on logits, between two models, on a router, and over several tasks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ...losses import (
    dft,
    distillation,
    generalized_jensen_shannon,
    load_balance,
    reverse_kl,
    softcap,
    uncertainty_weighting,
    z_loss,
)
from ...optim.balancing_bias import balancing_bias
from ._case import HelperCase, LossCase, option_case, reductions


def _logits(rng):
    return (3 * rng.normal(size=(9, 6)),)


def _around_the_cap(rng):
    return (40 * rng.normal(size=(9, 6)),)


def _labelled(rng):
    return 2 * rng.normal(size=(9, 6)), rng.integers(0, 6, 9)


def _pairs(rng):
    return 2 * rng.normal(size=(9, 6)), 2 * rng.normal(size=(9, 6))


def _teacher_leaves_out(rng):
    z, t = _pairs(rng)
    t[:, 2] = -1e4  # of probability 0
    return z, t


def _routed(rng):
    return (rng.normal(size=(11, 5)) + np.arange(5) / 3,)  # the last experts are favoured


def _tasks(rng):
    return 3 * rng.random((7, 4)) + 0.1, rng.normal(size=(7, 4))


def _shared(rng):
    losses, s = _tasks(rng)
    return losses, s[0]


def _reducible(each):
    """`each` with PyTorch's argument `reduction`."""

    def reduced(*a, reduction="none", **options):
        value = each(*a, **options)
        return value if reduction == "none" else getattr(value, reduction)()

    return reduced


@_reducible
def _torch_z_loss(z, weight=1e-4):
    return weight * z.logsumexp(-1).square()


@_reducible
def _torch_softcap(z, cap=30.0):
    return cap * torch.tanh(z / cap)


@_reducible
def _torch_dft(z, k):
    log_p = z.log_softmax(-1).gather(-1, k[..., None])[..., 0]
    return -log_p.exp().detach() * log_p


def _log_softmaxes(z, t, temperature):
    return F.log_softmax(z / temperature, -1), F.log_softmax(t / temperature, -1)


def _torch_kl(log_q, log_p):
    """KL(p || q): F.kl_div takes them the other way round."""
    return F.kl_div(log_q, log_p, log_target=True, reduction="none").sum(-1)


@_reducible
def _torch_distillation(z, t, temperature=1.0):
    return temperature**2 * _torch_kl(*_log_softmaxes(z, t, temperature))


@_reducible
def _torch_reverse_kl(z, t, temperature=1.0):
    log_q, log_p = _log_softmaxes(z, t, temperature)
    return _torch_kl(log_p, log_q)


@_reducible
def _torch_jensen_shannon(z, t, beta=0.5, temperature=1.0):
    """As TRL's GKDTrainer has it."""
    log_q, log_p = _log_softmaxes(z, t, temperature)
    if beta in (0, 1):
        return _torch_kl(log_q, log_p) if beta == 0 else _torch_kl(log_p, log_q)
    log_m = torch.logaddexp(log_q + math.log1p(-beta), log_p + math.log(beta))
    return beta * _torch_kl(log_m, log_p) + (1 - beta) * _torch_kl(log_m, log_q)


def _torch_load_balance(z, k=1):
    chosen = F.one_hot(z.topk(k, -1).indices, z.shape[-1]).sum(-2).to(z.dtype)
    return z.shape[-1] * chosen.mean(0) @ z.softmax(-1).mean(0)


@_reducible
def _torch_uncertainty(losses, s):
    return (losses / s.exp() + s).sum(-1)


def _of_losses(losses, s):
    loss = uncertainty_weighting(losses, s)
    return type(loss)(loss.value, loss.grad.losses)


def _balance(step):
    """The bias of 4 experts after 20 batches of 64 tokens, with and without a tie at the mean."""

    def run(dtype, device):
        rng, bias = np.random.default_rng(0), torch.zeros(4, dtype=dtype, device=device)
        for load in [*rng.multinomial(64, [0.1, 0.2, 0.3, 0.4], 19), np.array([16, 16, 20, 12])]:
            bias = step(bias, torch.as_tensor(load, device=device))
        return bias

    return run


def _written_balance(bias, load):
    """The algorithm's loop over the experts."""
    error = load.double().mean() - load.double()
    return torch.stack(
        [b + 0.01 * ((e > 0).to(b.dtype) - (e < 0).to(b.dtype)) for b, e in zip(bias, error, strict=True)]
    )


_jsd, _tasked = "generalized_jensen_shannon", "uncertainty_weighting"
_gjs = (_jsd, generalized_jensen_shannon, _torch_jensen_shannon)
_exponential: dict[str, Any] = {"far": 5}  # exp(-s) of a far s is inf


def _pair_cases(name, ours, theirs, **options) -> list[LossCase]:
    title = ", ".join(f"{key}={value:g}" for key, value in options.items())
    return [option_case(name, title, _pairs, ours, theirs, **options)]


CASES: list[LossCase | HelperCase] = [
    *reductions("z_loss", _logits, z_loss, _torch_z_loss),
    option_case("z_loss", "weight", _logits, z_loss, _torch_z_loss, far=100, weight=0.5),
    option_case("softcap", "plain", _around_the_cap, softcap, _torch_softcap),
    option_case("softcap", "cap", _logits, softcap, _torch_softcap, cap=2.5),
    *reductions("dft", _labelled, dft, _torch_dft, held=True),
    *reductions("distillation", _pairs, distillation, _torch_distillation),
    option_case("distillation", "temperature", _pairs, distillation, _torch_distillation, temperature=2.0),
    option_case("distillation", "p = 0", _teacher_leaves_out, distillation, _torch_distillation),
    *reductions("reverse_kl", _pairs, reverse_kl, _torch_reverse_kl),
    option_case("reverse_kl", "temperature", _pairs, reverse_kl, _torch_reverse_kl, temperature=2.0),
    *reductions(_jsd, _pairs, *_gjs[1:]),
    *_pair_cases(*_gjs, beta=0.1),
    *_pair_cases(*_gjs, beta=0.9, temperature=2.0),
    *_pair_cases(*_gjs, beta=0.0, temperature=2.0),
    *_pair_cases(*_gjs, beta=1.0),
    option_case(_jsd, "p = 0", _teacher_leaves_out, *_gjs[1:], beta=0.25),
    LossCase("load_balance", "plain", _routed, load_balance, _torch_load_balance),
    LossCase("load_balance", "k=2", _routed, lambda z: load_balance(z, 2), lambda z: _torch_load_balance(z, 2)),
    *reductions(_tasked, _tasks, uncertainty_weighting, _torch_uncertainty, inputs=2, **_exponential),
    LossCase(_tasked, "one variance per task", _shared, _of_losses, _torch_uncertainty, far=100),
    HelperCase(
        balancing_bias,
        "rate",
        _balance(lambda bias, load: balancing_bias(bias, load, 0.01)),
        _balance(_written_balance),
        ("float64", "float32"),
    ),
]
