from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, finite, flag, fraction, one_of, whole
from ..core.rule import floating, in_theta_dtype
from ._stable import divide, norm

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ADJUST = {
    "original": lambda rows, cols: sqrt(max(1, rows / cols)),
    "match_rms_adamw": lambda rows, cols: 0.2 * sqrt(max(rows, cols)),
    "spectral_unclamped": lambda rows, cols: sqrt(rows / cols),
}


class MuonState(NamedTuple):
    t: int
    m: Any


def newton_schulz(x, coefficients=COEFFICIENTS, steps=5, eps=1e-7):
    """A matrix with the singular vectors of x and all singular values near 1, by products of matrices alone.

    x <- x / max(||x||, eps), then `steps` times  x <- a x + b (x x^T) x + c (x x^T)^2 x

    Each singular value s becomes a s + b s^3 + c s^5. The default coefficients push small ones up fast (3.4 times a
    step) and then leave all between about 0.7 and 1.2. A zero matrix stays zero.
    Source: Jordan et al. 2024.
    """
    _check_schulz(coefficients, steps, eps, ("coefficients", "steps", "eps"))
    _check_matrix(x=x)
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x  # the smaller of the two products
    xp = array_namespace(x)
    x = divide(x, xp.clip(norm(x), min=min(eps, xp.finfo(x.dtype).max)))
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x


def _check_schulz(coefficients, steps, eps, names) -> None:
    if not isinstance(coefficients, (tuple, list)) or len(coefficients) != 3:
        raise ValueError(f"{names[0]}={coefficients!r} is not allowed; it must hold 3 numbers")
    finite(**{f"{names[0]}[{i}]": a for i, a in enumerate(coefficients)})
    whole(most=99, **{names[1]: steps})
    at_least_0(**{names[2]: eps})


def _check_matrix(**arrays) -> None:
    floating(**arrays)
    for name, a in arrays.items():
        if a.ndim != 2 or 0 in a.shape:
            raise ValueError(f"{name} must be a matrix with rows and columns, got shape {tuple(a.shape)}")


@dataclass(frozen=True)
class Muon:
    """Muon: momentum for a weight matrix, its step made nearly orthogonal.

    m     <- momentum m + (1 - momentum) g
    o      = newton_schulz(m)                        (nesterov: of momentum m + (1 - momentum) g)
    theta <- (1 - lr weight_decay) theta - lr scale o

    scale: "original" sqrt(max(1, rows / cols)), "match_rms_adamw" 0.2 sqrt(max(rows, cols)), which gives steps of the
    size of AdamW's, or "spectral_unclamped" sqrt(rows / cols). theta, g: a matrix (rows, cols), not empty. No
    gradient, no move. A NaN gradient makes the whole matrix NaN. Raises ValueError on other shapes, an
    unknown adjust_lr_fn, ns_steps outside 0..99, a momentum outside [0, 1); other errors as in Adam.
    PyTorch: torch.optim.Muon(lr, weight_decay, momentum, nesterov, ns_coefficients, eps, ns_steps, adjust_lr_fn).
    It iterates in bfloat16, which moves a step by a per cent or so; we iterate in the precision of theta (float32
    for half).
    Source: Jordan et al. 2024; decay and "match_rms_adamw": Liu et al. 2025, equation 4.
    """

    elementwise: ClassVar[bool] = False
    lr: float = 1e-3
    momentum: float = 0.95
    nesterov: bool = True
    weight_decay: float = 0.1
    ns_coefficients: tuple[float, float, float] = COEFFICIENTS
    ns_steps: int = 5
    eps: float = 1e-7
    adjust_lr_fn: str = "original"

    def __post_init__(self):
        at_least_0(lr=self.lr, weight_decay=self.weight_decay)
        fraction(momentum=self.momentum)
        flag(nesterov=self.nesterov)
        one_of(ADJUST, adjust_lr_fn=self.adjust_lr_fn)
        _check_schulz(self.ns_coefficients, self.ns_steps, self.eps, ("ns_coefficients", "ns_steps", "eps"))

    def init(self, theta) -> MuonState:
        _check_matrix(theta=theta)
        return MuonState(t=0, m=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        m = self.momentum * state.m + (1 - self.momentum) * g
        ahead = self.momentum * m + (1 - self.momentum) * g if self.nesterov else m
        step = newton_schulz(ahead, self.ns_coefficients, self.ns_steps, self.eps)
        scale = ADJUST[self.adjust_lr_fn](*theta.shape)
        return (1 - self.lr * self.weight_decay) * theta - self.lr * scale * step, MuonState(state.t + 1, m)
