"""Rules that turn a matrix into a basis of its own gradients; what is done to the weights of attention and of LoRA."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ... import optim
from ...core import array_namespace, is_half
from ._case import HelperCase, RuleCase, rule
from .matrices import Written


def evened(g):
    """g with its sizes drawn together: those drawn span four decades, and float32 has no eigenvectors for the least.

    Done to ours and to the counterpart's gradient alike.
    """
    xp = array_namespace(g)
    g = xp.astype(g, xp.float32) if is_half(g) else g
    return xp.sign(g) * xp.abs(g) ** 0.25


@dataclass(frozen=True)
class Evened:
    """A rule that is handed the gradient evened; seen in the shape of its transpose where wide."""

    rule: Any
    wide: bool = False

    def _seen(self, a):
        return array_namespace(a).reshape(a, a.shape[::-1]) if self.wide else a

    def init(self, theta):
        return self.rule.init(self._seen(theta))

    def update(self, theta, g, state):
        moved, state = self.rule.update(self._seen(theta), self._seen(evened(g)), state)
        return self._seen(moved), state


class Shampoo(Written):
    """The roots by singular values, the sums as products of all gradients laid side by side."""

    def move(self, p, g, state, *, lr, beta=1.0, eps=1e-4):
        past = state.setdefault("past", [])
        past[:] = [a * beta**0.5 for a in past] + [g]
        left, right = (self.root(x, eps * beta ** state["step"]) for x in (torch.cat(past, 1), torch.cat(past).T))
        p.sub_(left @ g @ right, alpha=lr)

    def root(self, x, start):
        """(x x^T + start I)^(-1/4)."""
        u, s, vh = torch.linalg.svd(x @ x.T + start * torch.eye(len(x), dtype=x.dtype, device=x.device))
        return u @ torch.diag(s**-0.25) @ vh


class SOAP(Written):
    """As in the authors' class: both means live in the basis, here one Kronecker product for the numbers in a row.

    Like ours and unlike theirs it takes all eigenvectors anew.
    """

    def move(self, p, g, state, *, lr, betas=(0.95, 0.95), shampoo_beta=0.95, eps=1e-8, weight_decay=0.01, every=10):
        k, basis = state["step"] - 1, state.get("basis")
        m, v = (state.setdefault(name, torch.zeros_like(p).flatten()) for name in ("m", "v"))
        if k:
            turned = basis.T @ g.flatten()
            m.lerp_(turned, 1 - betas[0])
            v.lerp_(turned.square(), 1 - betas[1])
            m_hat, scale = m / (1 - betas[0] ** k), (1 - betas[1] ** k) ** 0.5
            p.sub_((basis @ (m_hat * scale / (v.sqrt() + eps))).view_as(p), alpha=lr).mul_(1 - lr * weight_decay)
        grams = state.setdefault("grams", [torch.zeros_like(a) for a in (g @ g.T, g.T @ g)])
        for gram, a in zip(grams, (g @ g.T, g.T @ g), strict=True):
            gram.copy_(shampoo_beta * gram + (1 - shampoo_beta) * a)  # to the last bit ours: the first has no full rank
        if k % every == 0:
            new = torch.kron(*(torch.linalg.eigh(gram).eigenvectors.flip(1) for gram in grams))
            state["m"] = new.T @ (basis @ m) if k else m
            state["v"] = v
            state["basis"] = new


class GaLore(Written):
    """PyTorch's own Adam on a thin twin; the directions by the eigenvectors of g^T g, always on the right."""

    def move(self, p, g, state, *, lr, rank, every=200, scale=0.25, weight_decay=0.0, wide=False, of=torch.optim.Adam):
        p, g = (a.view(a.shape[::-1]).T if wide else a for a in (p, g))
        if (state["step"] - 1) % every == 0:
            new = torch.linalg.eigh(g.T @ g).eigenvectors.flip(1)[:, :rank]
            old = state.get("p", new)
            state["p"] = torch.stack([a if a @ b >= 0 else -a for a, b in zip(new.T, old.T, strict=True)], 1)
        twin = state.setdefault("twin", torch.zeros_like(g @ state["p"]))
        inner = state.setdefault("inner", of([twin], lr=lr))
        twin.zero_().grad = g @ state["p"]
        inner.step()
        p.add_(twin @ state["p"].T, alpha=scale).mul_(1 - lr * weight_decay)


def evenly(name, option, ours, theirs, sign=1, allowed=200, wide=False, **options) -> RuleCase:
    """Eigenvectors multiply rounding by the size of the matrix over the gap to the next eigenvalue."""
    options = {**options, "wide": True} if wide else options
    return RuleCase(name, option, Evened(ours, wide), lambda ps: theirs(ps, **options), sign, allowed, gradient=evened)


def galore(option, inner=optim.Adam, ours=None, **options) -> RuleCase:
    given = {name: a for name, a in options.items() if name in ("every", "scale", "weight_decay")}
    options = {"lr": 0.1, "rank": 2, "of": getattr(torch.optim, inner.__name__), **options}
    return evenly("GaLore", option, optim.GaLore(inner(0.1), options["rank"], **given), GaLore, **options)


def clipped(option, max_logit, tau) -> HelperCase:
    """Against min(1, tau / max_logit)^(1/2), which is how the report writes it."""

    def drawn(dtype, device):
        rng = np.random.default_rng(0)
        return [torch.as_tensor(rng.normal(size=(4, 6))).to(device, dtype) for _ in "qk"]

    def ours(dtype, device):
        w_q, w_k = drawn(dtype, device)
        return torch.cat(optim.qk_clip(w_q, w_k, max_logit, tau))

    def theirs(dtype, device):
        wide = torch.float64 if dtype == torch.float64 else torch.float32
        gamma = torch.tensor(tau / max_logit, dtype=torch.float64).clamp(max=1.0)
        return torch.cat([w.to(wide).mul(float(gamma) ** 0.5) for w in drawn(dtype, device)])

    every = ("float64", "float32", "float16", "bfloat16")
    return HelperCase(optim.qk_clip, option, ours, theirs, every)


def low_rank(option, **options) -> HelperCase:
    """Against the inverses, as the authors write them."""

    def drawn(dtype, device):
        rng = np.random.default_rng(0)
        return [torch.as_tensor(rng.normal(size=s)).to(device, dtype) for s in ((3, 7), (5, 3), (3, 7), (5, 3))]

    def ours(dtype, device):
        return torch.cat([a.flatten() for a in optim.scaled_lora_gradients(*drawn(dtype, device), **options)])

    def theirs(dtype, device):
        a, b, grad_a, grad_b = (x if dtype == torch.float64 else x.float() for x in drawn(dtype, device))
        eps = options.get("eps", 1e-6) * torch.eye(3, dtype=a.dtype, device=device)
        return torch.cat(
            [(torch.inverse(b.T @ b + eps) @ grad_a).flatten(), (grad_b @ torch.inverse(a @ a.T + eps)).flatten()]
        )

    every = ("float64", "float32", "float16", "bfloat16")
    return HelperCase(optim.scaled_lora_gradients, option, ours, theirs, every)


_far: dict[str, Any] = {"beta1": 0.8, "beta2": 0.9}

CASES: list[RuleCase | HelperCase] = [
    rule("Shampoo", "four decades", optim.Shampoo(0.1, eps=0.5), Shampoo, lr=0.1, eps=0.5),
    evenly("Shampoo", "plain", optim.Shampoo(), Shampoo, lr=0.1),
    evenly("Shampoo", "beta", optim.Shampoo(0.1, 0.7), Shampoo, lr=0.1, beta=0.7),
    evenly("Shampoo", "eps", optim.Shampoo(0.1, eps=30.0), Shampoo, lr=0.1, eps=30.0),
    evenly("Shampoo", "maximize", optim.Shampoo(), Shampoo, -1, lr=-0.1),
    evenly("SOAP", "plain", optim.SOAP(0.1), SOAP, lr=0.1),
    evenly("SOAP", "betas, eps", optim.SOAP(0.1, **_far, eps=0.5), SOAP, lr=0.1, betas=(0.8, 0.9), eps=0.5),
    evenly("SOAP", "shampoo_beta", optim.SOAP(0.1, shampoo_beta=0.6), SOAP, lr=0.1, shampoo_beta=0.6),
    evenly("SOAP", "weight_decay", optim.SOAP(0.1, weight_decay=0.5), SOAP, lr=0.1, weight_decay=0.5),
    evenly("SOAP", "every", optim.SOAP(0.1, every=3), SOAP, lr=0.1, every=3),
    galore("of Adam"),
    galore("rank", rank=1),
    galore("every", every=4),
    galore("scale, weight_decay", scale=1.5, weight_decay=0.5),
    galore("of SGD", optim.SGD, every=1),
    galore("wide matrix", every=7, wide=True),
    clipped("above tau", 250.0, 100.0),
    clipped("tau", 3.0, 0.5),
    clipped("below tau", 40.0, 100.0),
    low_rank("plain"),
    low_rank("eps", eps=0.5),
]
