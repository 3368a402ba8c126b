"""Rules that look at a whole matrix or at the norm of a whole array, and the sharpness-aware gradient."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import torch
from torch.optim import _muon

from ... import optim
from ...core import array_namespace
from ...core.rule import in_theta_dtype
from ._case import RuleCase, rule


def polynomial_of_singular_values(g, coefficients, steps, eps):
    """What Newton-Schulz computes, by a singular value decomposition and in g's own precision."""
    a, b, c = coefficients
    left, s, right = torch.linalg.svd(g / g.norm().clamp(min=eps), full_matrices=False)
    for _ in range(steps):
        s = a * s + b * s**3 + c * s**5
    return left * s @ right


class Muon(torch.optim.Muon):
    """PyTorch's Muon in full precision.

    PyTorch iterates in bfloat16, whatever the parameter is: two digits, so the ends of the drawn paths differ by 3e-3.
    A tolerance is one number of epsilons for all dtypes, and one so wide would let anything pass in float32. Hence the
    iteration alone is exchanged here and all options stay PyTorch's; tests/test_adaptive.py compares with the untouched
    class, to 2 per cent of the distance travelled.
    """

    def step(self, closure=None):
        with patch.object(_muon, "_zeropower_via_newtonschulz", polynomial_of_singular_values):
            return super().step(closure)


class Written(torch.optim.Optimizer):
    """What PyTorch does not have, written out. A subclass says how one parameter moves."""

    move: Callable[..., None]

    def __init__(self, params, lr, **options):
        super().__init__(params, {"lr": lr, **options})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["step"] = state.get("step", 0) + 1
                self.move(p, p.grad, state, **{k: v for k, v in group.items() if k != "params"})


class LARS(Written):
    def move(self, p, g, state, *, lr, momentum=0.9, weight_decay=0.0, trust=1e-3):
        size = torch.linalg.vector_norm(p)
        local = trust * size / torch.linalg.vector_norm(g).add(size, alpha=weight_decay)
        u = state.setdefault("u", torch.zeros_like(p))
        u.mul_(momentum).add_(g.add(p, alpha=weight_decay).mul(local), alpha=lr)
        p.sub_(u)


class LAMB(Written):
    def move(self, p, g, state, *, lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0):
        twin = state.setdefault("twin", torch.zeros_like(p))  # Adam from 0 with rate 1 moves by minus its direction
        adam = state.setdefault("adam", torch.optim.Adam([twin], lr=1.0, betas=betas, eps=eps))
        twin.zero_().grad = g.clone()
        adam.step()
        direction = weight_decay * p - twin
        p.sub_(direction * (lr * torch.linalg.vector_norm(p) / torch.linalg.vector_norm(direction)))


class SAMOnWaves(Written):
    """Descent along the sharpness-aware gradient of sum(g sin(theta)), differentiated by autograd."""

    def move(self, p, g, state, *, lr, rho=0.05):
        slope = torch.func.grad(lambda x: (g * x.sin()).sum())
        p.sub_(lr * slope(p + rho * torch.nn.functional.normalize(slope(p), dim=None, eps=0.0)))


@dataclass(frozen=True)
class OnWaves:
    """The same with ours: a rule out of `sam_gradient` and SGD."""

    lr: float
    rho: float = 0.05

    def init(self, theta):
        return optim.SGD(self.lr).init(theta)

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        sharp = optim.sam_gradient(lambda x: g * xp.cos(x), theta, self.rho)
        return optim.SGD(self.lr).update(theta, sharp, state)


def vector(shape):
    return (-1,)


def turned(shape):
    return shape[::-1]


@dataclass(frozen=True)
class Seen:
    """A rule that is shown the matrix in another shape."""

    rule: Any
    shape: Callable[[tuple], tuple]

    def init(self, theta):
        return self.rule.init(array_namespace(theta).reshape(theta, self.shape(theta.shape)))

    def update(self, theta, g, state):
        xp, shape = array_namespace(theta), self.shape(theta.shape)
        seen, state = self.rule.update(xp.reshape(theta, shape), xp.reshape(g, shape), state)
        return xp.reshape(seen, theta.shape), state


class SeenByTorch(Written):
    """The same with PyTorch's class, on a view that shares the matrix's memory."""

    def move(self, p, g, state, *, of, shape, **options):
        view = state.setdefault("view", p.detach().view(shape(p.shape)))
        inner = state.setdefault("inner", of([view], **options))
        view.grad = g.view(shape(p.shape))
        inner.step()


def seen(name, option, ours, torch_class, shape, **options) -> RuleCase:
    return rule(name, option, Seen(ours, shape), SeenByTorch, of=torch_class, shape=shape, **options)


_Adafactor = torch.optim.Adafactor
_far = {"beta1": 0.8, "beta2": 0.9}


# Each of the five iterations multiplies the rounding error of a small singular value by 3.4.
_muon_allowed = {"allowed": 500}


def muon(option, ours, **options) -> RuleCase:
    return rule("Muon", option, ours, Muon, **_muon_allowed, **options)


CASES: list[RuleCase] = [
    rule("Adafactor", "plain", optim.Adafactor(0.1), _Adafactor, lr=0.1),
    rule("Adafactor", "beta2_decay", optim.Adafactor(0.1, beta2_decay=-0.3), _Adafactor, lr=0.1, beta2_decay=-0.3),
    rule("Adafactor", "eps", optim.Adafactor(0.1, eps1=0.5, eps2=2.0), _Adafactor, lr=0.1, eps=(0.5, 2.0)),
    rule("Adafactor", "d", optim.Adafactor(0.1, d=1.2), _Adafactor, lr=0.1, d=1.2),
    rule("Adafactor", "weight_decay", optim.Adafactor(0.1, weight_decay=0.5), _Adafactor, lr=0.1, weight_decay=0.5),
    rule("Adafactor", "maximize", optim.Adafactor(0.1), _Adafactor, -1, lr=0.1, maximize=True),
    seen("Adafactor", "vector", optim.Adafactor(0.1), _Adafactor, vector, lr=0.1),
    seen(
        "Adafactor",
        "vector, all at once",
        optim.Adafactor(0.3, -0.5, 0.05, 0.5, 1.1, 0.2),
        _Adafactor,
        vector,
        lr=0.3,
        beta2_decay=-0.5,
        eps=(0.05, 0.5),
        d=1.1,
        weight_decay=0.2,
    ),
    muon("plain", optim.Muon(0.1), lr=0.1),
    muon("momentum", optim.Muon(0.1, momentum=0.6), lr=0.1, momentum=0.6),
    muon("nesterov=False", optim.Muon(0.1, nesterov=False), lr=0.1, nesterov=False),
    muon("weight_decay", optim.Muon(0.1, weight_decay=0.7), lr=0.1, weight_decay=0.7),
    muon("ns_coefficients", optim.Muon(0.1, ns_coefficients=(2, -1.5, 0.5)), lr=0.1, ns_coefficients=(2, -1.5, 0.5)),
    muon("ns_steps", optim.Muon(0.1, ns_steps=2), lr=0.1, ns_steps=2),
    muon("eps", optim.Muon(0.1, eps=50.0), lr=0.1, eps=50.0),
    muon('"match_rms_adamw"', optim.Muon(0.1, adjust_lr_fn="match_rms_adamw"), lr=0.1, adjust_lr_fn="match_rms_adamw"),
    seen("Muon", "wide matrix", optim.Muon(0.1), Muon, turned, lr=0.1, **_muon_allowed),
    replace(
        seen(
            "Muon",
            '"spectral_unclamped", wide matrix',
            optim.Muon(0.1, adjust_lr_fn="spectral_unclamped"),
            Muon,
            turned,
            lr=0.1,
            adjust_lr_fn="spectral_unclamped",
            **_muon_allowed,
        ),
        since=(2, 15),
    ),
    rule("LARS", "plain", optim.LARS(), LARS, lr=1.0),
    rule("LARS", "trust", optim.LARS(0.5, trust=0.02), LARS, lr=0.5, trust=0.02),
    rule("LARS", "momentum", optim.LARS(10.0, 0.6), LARS, lr=10.0, momentum=0.6),
    rule("LARS", "weight_decay", optim.LARS(10.0, weight_decay=3.0), LARS, lr=10.0, weight_decay=3.0),
    rule("LAMB", "plain", optim.LAMB(0.02), LAMB, lr=0.02),
    rule("LAMB", "betas, eps", optim.LAMB(0.05, **_far, eps=0.5), LAMB, lr=0.05, betas=(0.8, 0.9), eps=0.5),
    rule("LAMB", "weight_decay", optim.LAMB(0.05, weight_decay=0.7), LAMB, lr=0.05, weight_decay=0.7),
    rule("sam_gradient", "plain", OnWaves(0.01), SAMOnWaves, lr=0.01),
    rule("sam_gradient", "rho", OnWaves(0.02, 0.4), SAMOnWaves, lr=0.02, rho=0.4),
]
