"""Rules around rules, states in 8 bits, gradients of meta-learning, and a rule that is a network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ... import optim
from ...core import array_namespace
from ...core.rule import in_theta_dtype
from ...optim.clip import clip_by_norm
from ...optim.learned_optimizer import initial_weights
from ...optim.muon import newton_schulz
from ._case import RuleCase, like, rule
from .matrices import Muon, Written

WEIGHTS = tuple(np.random.default_rng(0).normal(scale=0.4, size=40).tolist())


class Lookahead(Written):
    """PyTorch's optimizer on the weights themselves; every k steps they are laid between there and the slow ones."""

    def move(self, p, g, state, *, lr, of, k=5, alpha=0.5, **options):
        slow = state.setdefault("slow", p.clone())
        state.setdefault("inner", of([p], lr=lr, **options)).step()
        if not state["step"] % k:
            p.copy_(slow.lerp_(p, alpha))


class Clipped(torch.optim.Adam):
    def step(self, closure=None):
        torch.nn.utils.clip_grad_norm_(self.param_groups[0]["params"], 0.5)
        return super().step(closure)


def spectral(g):
    """newton_schulz with the scale of Muon's "original"."""
    return max(1, g.shape[0] / g.shape[1]) ** 0.5 * newton_schulz(g)


def by_half(g):
    return clip_by_norm(g, 0.5)


def to_8_bits(a, signed, block):
    """The nearest of 256 numbers by trying all of them, block by block; the map in the order bitsandbytes makes it."""
    numbers = [0.0, 1.0]
    for i in range(7):
        edges = torch.linspace(0.1, 1, 2**i * (1 if signed else 2) + 1, dtype=torch.float64)
        part = (edges[1:] + edges[:-1]) / 2 / 10 ** (6 - i)
        numbers += [*part.tolist(), *(-part if signed else part[:0]).tolist()]
    book, rows = torch.tensor(sorted(numbers), dtype=a.dtype, device=a.device), []
    for row in a.flatten().split(block):
        top = row.abs().max()
        place = (row / top - book[:, None]).abs().argmin(0)
        rows.append(book[place if signed else place.clamp(min=1)] * top)
    return torch.cat(rows).view_as(a)


class EightBit(Written):
    """PyTorch's optimizer, its buffers rounded to 8 bits after each step. The drawn gradients hold no 0."""

    def move(self, p, g, state, *, lr, of, block, buffers, **options):
        inner = state.setdefault("inner", of([p], lr=lr, **options))
        inner.step()
        for name, signed in buffers.items():
            inner.state[p][name].copy_(to_8_bits(inner.state[p][name], signed, block))


@dataclass(frozen=True)
class OnWaves:
    """Descent along a gradient that is made from one of sum(g sin(theta)) + sum(theta)^2 / 50, the support loss.

    Its Hessian is diagonal but for the last term. The query loss is sum(g cos(theta)).
    """

    make: Any
    lr: float = 0.002

    def init(self, theta):
        return optim.SGD(self.lr).init(theta)

    @in_theta_dtype
    def update(self, theta, g, state):
        return optim.SGD(self.lr).update(theta, self.make(theta, g, array_namespace(theta)), state)


def maml(steps, exact=True):
    def make(theta, g, xp):
        def support(x):
            return g * xp.cos(x) + xp.sum(x) / 25

        def hvp(x, v):
            return -g * xp.sin(x) * v + xp.sum(v) / 25

        return optim.maml_gradient(support, lambda x: -g * xp.sin(x), theta, 0.02, steps, hvp if exact else None)

    return OnWaves(make)


def reptile(theta, g, xp):
    return optim.reptile_gradient(lambda x: g * xp.cos(x) + xp.sum(x) / 25, theta, 0.02, 4)


def drawn(x):
    return np.random.default_rng(1).normal(size=(5, *x.shape))


def evolved(theta, g, xp):
    return optim.es_gradient(lambda x: float(xp.sum(g * xp.sin(x))), theta, 0.5, like(theta, drawn(theta)))


class ByAutograd(Written):
    """The gradient of a function of p and g, which autograd finds through all that the function does."""

    def move(self, p, g, state, *, lr, of):
        p.sub_(lr * torch.func.grad(of)(p, g))


def waves(x, g):
    return (g * x.sin()).sum() + x.sum() ** 2 / 50


def after_steps(steps, exact):
    def query(p, g):
        x = p
        for _ in range(steps):
            slope = torch.func.grad(waves)(x, g)
            x = x - 0.02 * (slope if exact else slope.detach())
        return (g * x.cos()).sum()

    return query


class Reptile(Written):
    def move(self, p, g, state, *, lr):
        q = p.clone().requires_grad_()
        inner = torch.optim.SGD([q], lr=0.02)
        for _ in range(4):
            q.grad = torch.func.grad(waves)(q.detach(), g)
            inner.step()
        p.sub_((p - q) * (lr / 0.02))


class Evolved(Written):
    def move(self, p, g, state, *, lr):
        e = torch.as_tensor(drawn(p), dtype=p.dtype, device=p.device)
        rise = (g * ((p + e / 2).sin() - (p - e / 2).sin())).flatten(1).sum(1)
        p.sub_(lr * torch.einsum("n,n...->...", rise, e) / len(e))


class Network(Written):
    """The learned rule as matrices; its means as PyTorch's Adam keeps them, whose first steps it corrects itself."""

    def move(self, p, g, state, *, lr, weights):
        means = state.setdefault("means", [torch.zeros_like(p) for _ in range(3)])
        for m, a, beta in zip(means, (g, g, g.square()), (0.9, 0.99, 0.999), strict=True):
            m.lerp_(a, 1 - beta)
        fast, slow, v = (m / (1 - b ** state["step"]) for m, b in zip(means, (0.9, 0.99, 0.999), strict=True))
        into, out = torch.tensor(weights, dtype=p.dtype, device=p.device).view(8, 5).split([3, 2], 1)
        d, size = (torch.relu(torch.stack([g, fast, slow], -1) / v.sqrt()[..., None] @ into.T) @ out).unbind(-1)
        p.sub_(lr * d * size.exp())


_Adam, _SGD = torch.optim.Adam, torch.optim.SGD
_adams = {"exp_avg": True, "exp_avg_sq": False}
_momentum = optim.Momentum(lr=1.0)

CASES: list[RuleCase] = [
    rule("Chain", "nothing before", optim.Chain((), optim.Adam(0.1)), _Adam, lr=0.1),
    rule("Chain", "momentum", optim.Chain((_momentum,), optim.SGD(0.1)), _SGD, lr=0.1, momentum=0.9),
    rule("Chain", "a function", optim.Chain((by_half,), optim.Adam(0.1)), Clipped, lr=0.1),
    rule(
        "Chain",
        "rule and function, weight_decay",
        optim.Chain((optim.Momentum(1.0, 0.6), spectral), optim.SGD(0.1, weight_decay=0.3)),
        Muon,
        allowed=500,  # as Muon's own
        lr=0.1,
        momentum=0.6,
        nesterov=False,
        weight_decay=0.3,
    ),
    rule("Lookahead", "of SGD", optim.Lookahead(optim.SGD(0.01)), Lookahead, of=_SGD, lr=0.01),
    rule("Lookahead", "of Adam", optim.Lookahead(optim.Adam(0.1)), Lookahead, of=_Adam, lr=0.1),
    rule("Lookahead", "steps", optim.Lookahead(optim.Adam(0.1), steps=3), Lookahead, of=_Adam, lr=0.1, k=3),
    rule("Lookahead", "alpha", optim.Lookahead(optim.Adam(0.1), alpha=0.8), Lookahead, of=_Adam, lr=0.1, alpha=0.8),
    rule("EightBit", "of Adam", optim.EightBit(optim.Adam(0.1)), EightBit, of=_Adam, lr=0.1, block=256, buffers=_adams),
    rule("EightBit", "block", optim.EightBit(optim.Adam(0.1), 8), EightBit, of=_Adam, lr=0.1, block=8, buffers=_adams),
    rule(
        "EightBit",
        "of Momentum",
        optim.EightBit(optim.Momentum(0.1), 8),
        EightBit,
        of=_SGD,
        lr=0.1,
        momentum=0.9,
        block=8,
        buffers={"momentum_buffer": True},
    ),
    rule(
        "EightBit",
        "signed, unsigned",
        optim.EightBit(optim.Adam(0.1), 8, (), ("v",)),
        EightBit,
        of=_Adam,
        lr=0.1,
        block=8,
        buffers={"exp_avg_sq": False},
    ),
    rule("LearnedOptimizer", "is Adam at first", optim.LearnedOptimizer(0.1), _Adam, lr=0.1, eps=0.0),
    rule(
        "LearnedOptimizer",
        "seed",
        optim.LearnedOptimizer(0.1, initial_weights(3)),
        _Adam,
        lr=0.1,
        eps=0.0,
    ),
    rule("LearnedOptimizer", "weights", optim.LearnedOptimizer(0.01, WEIGHTS), Network, lr=0.01, weights=WEIGHTS),
    rule("maml_gradient", "plain", maml(1), ByAutograd, lr=0.002, of=after_steps(1, True)),
    rule("maml_gradient", "steps", maml(4), ByAutograd, lr=0.002, of=after_steps(4, True)),
    rule("maml_gradient", "hvp=None", maml(4, False), ByAutograd, lr=0.002, of=after_steps(4, False)),
    rule("reptile_gradient", "steps", OnWaves(reptile), Reptile, lr=0.002),
    rule("es_gradient", "sigma", OnWaves(evolved), Evolved, allowed=500, lr=0.002),  # differences of two sums
]
