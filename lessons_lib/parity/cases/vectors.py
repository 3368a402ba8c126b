"""Rules of recent large-model practice whose parameters are vectors: no PyTorch class, so each is written out again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import torch

from ... import optim
from ._case import RuleCase, rule
from .matrices import Seen, SeenByTorch, Written, vector


class Lion(Written):
    def move(self, p, g, state, *, lr, betas=(0.9, 0.99), weight_decay=0.0):
        m = state.setdefault("m", torch.zeros_like(p))
        blend = torch.lerp(m, g, 1 - betas[0])
        p.sub_(lr * ((blend > 0).to(p.dtype) - (blend < 0).to(p.dtype) + weight_decay * p))
        m.lerp_(g, 1 - betas[1])


class Sophia(Written):
    """The sign of m times a ratio of at most 1, as the authors write it. Every third step brings a curvature: g."""

    def move(self, p, g, state, *, lr, betas=(0.965, 0.99), gamma=0.01, eps=1e-12, weight_decay=0.1):
        m, h = (state.setdefault(name, torch.zeros_like(p)) for name in "mh")
        if state["step"] % 3 == 1:
            h.lerp_(g, 1 - betas[1])
        m.lerp_(g, 1 - betas[0])
        ratio = (m.abs() / torch.where(gamma * h > eps, gamma * h, eps)).clamp(max=1)
        p.mul_(1 - lr * weight_decay).addcmul_(m.sign(), ratio, value=-lr)


@dataclass(frozen=True)
class Curved:
    """The same with ours."""

    rule: optim.Sophia

    def init(self, theta):
        return self.rule.init(theta)

    def update(self, theta, g, state):
        return self.rule.update(theta, g, self.rule.with_curvature(state, g) if state.t % 3 == 0 else state)


class AdEMAMix(Written):
    """Every mean as a sum over the whole past."""

    def move(self, p, g, state, *, lr, betas=(0.9, 0.999, 0.9999), alpha=5.0, eps=1e-8, weight_decay=0.0):
        past = state.setdefault("past", [])
        past.append(g.clone())

        def total(beta, power):
            return sum(beta**age * a**power for age, a in enumerate(reversed(past)))

        fast = total(betas[0], 1) / total(betas[0], 0)
        v = total(betas[1], 2) / total(betas[1], 0)
        slow = (1 - betas[2]) * total(betas[2], 1)
        p.sub_(lr * ((fast + alpha * slow) / (v.sqrt() + eps) + weight_decay * p))


class ScheduleFree(Written):
    """With all three points kept, and the list of all weights. `betas` divides the gradient as Adam does."""

    def move(self, p, g, state, *, lr, beta, beta2=None, eps=1e-8, weight_decay=0.0, factor=lambda t: 1.0):
        z, x = (state.setdefault(name, p.clone()) for name in "zx")
        rates = state.setdefault("rates", [])
        rates.append(lr * factor(state["step"]))
        weights = [max(rates[: i + 1]) ** 2 for i in range(len(rates))]
        z.sub_(rates[-1] * (self.direction(p, g, state, beta2, eps) + weight_decay * p))
        x.mul_(1 - weights[-1] / sum(weights)).add_(z, alpha=weights[-1] / sum(weights))
        p.copy_((1 - beta) * z + beta * x)

    def direction(self, p, g, state, beta2, eps):
        if beta2 is None:
            return g
        twin = state.setdefault("twin", torch.zeros_like(p))  # Adam from 0 with rate 1 moves by minus its direction
        adam = state.setdefault("adam", torch.optim.Adam([twin], lr=1.0, betas=(0.0, beta2), eps=eps))
        twin.zero_().grad = g.clone()
        adam.step()
        return -twin


@dataclass(frozen=True)
class Scheduled:
    """A rule whose lr follows a factor of t."""

    rule: Any
    factor: Callable[[int], float]

    def init(self, theta):
        return self.rule.init(theta)

    def update(self, theta, g, state):
        return replace(self.rule, lr=self.rule.lr * self.factor(state.t + 1)).update(theta, g, state)


def up_and_down(t):
    return min(t / 10, 1.0, 20 / t)


class Prodigy(Written):
    """The paper's sums, each a mean of d^2 g, without the d0 that the authors' code divides by; in a noisy bowl."""

    def move(self, p, g, state, *, lr=1.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, d0, d_coef=1.0, growth=None):
        start = state.setdefault("start", p.clone())
        m, v, s = (state.setdefault(name, torch.zeros_like(p)) for name in "mvs")
        g = torch.add(p - 3, g, alpha=0.05)
        d, top, share = state.get("d", d0), state.get("top", d0), 1 - sqrt(betas[1])
        m.lerp_(d * g, 1 - betas[0])
        v.lerp_((d * g).square(), 1 - betas[1])
        far = lr * d * d * torch.dot(g.flatten(), (start - p).flatten())
        state["r"] = torch.lerp(state.get("r", torch.zeros_like(far)), far, share)
        s.lerp_(lr * d * d * g, share)
        guess = d_coef * float(state["r"] / torch.linalg.vector_norm(s, 1))
        state["top"] = max(top, guess)
        state["d"] = state["top"] if d == d0 or growth is None else min(state["top"], growth * d)
        p.sub_(lr * d * (m / (v.sqrt() + state["d"] * eps) + weight_decay * p))


@dataclass(frozen=True)
class InBowl:
    """A rule on its way to 3, which the gradients it is handed disturb: with noise alone, d has nothing to measure."""

    rule: Any

    def init(self, theta):
        return self.rule.init(theta)

    def update(self, theta, g, state):
        return self.rule.update(theta, theta - 3 + 0.05 * g, state)


def prodigy(option, d0=0.03, allowed=50.0, growth=None, **options) -> RuleCase:
    ours = {**options, "growth_rate": growth} if growth else {**options}
    if "betas" in ours:
        ours["beta1"], ours["beta2"] = ours.pop("betas")
    return RuleCase(
        "Prodigy",
        option,
        InBowl(optim.Prodigy(d0=d0, **ours)),
        lambda params: Prodigy(params, **{"lr": 1.0, **options}, d0=d0, growth=growth),
        allowed=allowed,
    )


class AdamMini(Written):
    """Block by block, with the two corrections drawn into the rate."""

    def move(self, p, g, state, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, blocks=None):
        parts = blocks or len(p)
        m, v = state.setdefault("m", torch.zeros_like(p)), state.setdefault("v", [0.0] * parts)
        m.lerp_(g, 1 - betas[0])
        root = sqrt(1 - betas[1] ** state["step"])
        rate = lr * root / (1 - betas[0] ** state["step"])
        p.mul_(1 - lr * weight_decay)
        for i, (p_i, g_i, m_i) in enumerate(zip(*(a.tensor_split(parts) for a in (p, g, m)), strict=True)):
            v[i] = betas[1] * v[i] + (1 - betas[1]) * g_i.square().mean()
            p_i.sub_(rate * m_i / (v[i].sqrt() + root * eps))


_far: dict[str, Any] = {"beta1": 0.8, "beta2": 0.9}  # far from the defaults, at which wrong formulas look right
_betas = (0.8, 0.9)


def sophia(option, ours, **options) -> RuleCase:
    return rule("Sophia", option, Curved(ours), Sophia, **options)


CASES: list[RuleCase] = [
    rule("Lion", "plain", optim.Lion(0.1), Lion, lr=0.1),
    rule("Lion", "betas", optim.Lion(0.1, 0.3, 0.8), Lion, lr=0.1, betas=(0.3, 0.8)),
    rule("Lion", "weight_decay", optim.Lion(0.1, weight_decay=0.7), Lion, lr=0.1, weight_decay=0.7),
    sophia("plain", optim.Sophia(0.1), lr=0.1),
    sophia("betas, gamma", optim.Sophia(0.1, **_far, gamma=0.8), lr=0.1, betas=_betas, gamma=0.8),
    sophia("eps", optim.Sophia(0.1, gamma=2.0, eps=0.5), lr=0.1, gamma=2.0, eps=0.5),
    sophia("weight_decay", optim.Sophia(0.1, gamma=2.0, weight_decay=0.7), lr=0.1, gamma=2.0, weight_decay=0.7),
    rule("AdEMAMix", "plain", optim.AdEMAMix(0.1), AdEMAMix, lr=0.1),
    rule(
        "AdEMAMix",
        "betas, alpha",
        optim.AdEMAMix(0.1, **_far, beta3=0.95, alpha=2.0),
        AdEMAMix,
        lr=0.1,
        betas=(*_betas, 0.95),
        alpha=2.0,
    ),
    rule("AdEMAMix", "eps", optim.AdEMAMix(0.1, eps=0.5), AdEMAMix, lr=0.1, eps=0.5),
    rule("AdEMAMix", "weight_decay", optim.AdEMAMix(0.1, weight_decay=0.5), AdEMAMix, lr=0.1, weight_decay=0.5),
    rule("ScheduleFreeSGD", "plain", optim.ScheduleFreeSGD(0.1), ScheduleFree, lr=0.1, beta=0.9),
    rule("ScheduleFreeSGD", "beta", optim.ScheduleFreeSGD(0.1, 0.4), ScheduleFree, lr=0.1, beta=0.4),
    rule(
        "ScheduleFreeSGD",
        "weight_decay",
        optim.ScheduleFreeSGD(0.1, weight_decay=0.5),
        ScheduleFree,
        lr=0.1,
        beta=0.9,
        weight_decay=0.5,
    ),
    rule(
        "ScheduleFreeSGD",
        "lr up and down",
        Scheduled(optim.ScheduleFreeSGD(0.1), up_and_down),
        ScheduleFree,
        lr=0.1,
        beta=0.9,
        factor=up_and_down,
    ),
    rule("ScheduleFreeAdamW", "plain", optim.ScheduleFreeAdamW(0.1), ScheduleFree, lr=0.1, beta=0.9, beta2=0.999),
    rule(
        "ScheduleFreeAdamW",
        "betas, eps",
        optim.ScheduleFreeAdamW(0.1, **_far, eps=0.5),
        ScheduleFree,
        lr=0.1,
        beta=0.8,
        beta2=0.9,
        eps=0.5,
    ),
    rule(
        "ScheduleFreeAdamW",
        "weight_decay",
        optim.ScheduleFreeAdamW(0.1, weight_decay=0.5),
        ScheduleFree,
        lr=0.1,
        beta=0.9,
        beta2=0.999,
        weight_decay=0.5,
    ),
    rule(
        "ScheduleFreeAdamW",
        "lr up and down",
        Scheduled(optim.ScheduleFreeAdamW(0.1), up_and_down),
        ScheduleFree,
        lr=0.1,
        beta=0.9,
        beta2=0.999,
        factor=up_and_down,
    ),
    prodigy("plain"),
    prodigy("lr", lr=0.5),
    prodigy("betas, eps", betas=_betas, eps=0.5),
    prodigy("weight_decay", weight_decay=0.5),
    prodigy("d_coef", d_coef=0.5),
    prodigy("growth_rate", growth=1.02),
    rule("AdamMini", "plain", optim.AdamMini(0.1), AdamMini, lr=0.1),
    rule("AdamMini", "betas, eps", optim.AdamMini(0.1, **_far, eps=0.5), AdamMini, lr=0.1, betas=_betas, eps=0.5),
    rule("AdamMini", "weight_decay", optim.AdamMini(0.1, weight_decay=0.5), AdamMini, lr=0.1, weight_decay=0.5),
    rule("AdamMini", "blocks=1", optim.AdamMini(0.1, blocks=1), AdamMini, lr=0.1, blocks=1),
    rule("AdamMini", "vector", Seen(optim.AdamMini(0.1), vector), SeenByTorch, lr=0.1, of=AdamMini, shape=vector),
]
