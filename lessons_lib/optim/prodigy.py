from dataclasses import dataclass
from math import inf, sqrt
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction, number, positive
from ..core.rule import in_theta_dtype
from ._stable import divide


class ProdigyState(NamedTuple):
    t: int
    m: Any
    v: Any
    theta0: Any
    s: Any
    r: float
    d: float
    d_max: float


@dataclass(frozen=True)
class Prodigy:
    """Prodigy: AdamW whose rate is d, a growing estimate of the distance from the start to the solution.

    m     <- beta1 m + (1 - beta1) d g               v <- beta2 v + (1 - beta2) d^2 g^2
    r     <- sqrt(beta2) r + w sum(g (theta0 - theta))               w = lr d^2 / d0
    s     <- sqrt(beta2) s + w g                     d_max <- max(d_max, d_coef r / sum(|s|))
    theta <- (1 - lr d weight_decay) theta - lr d m / (sqrt(v) + d_new eps)
    d_new  = min(d_max, growth_rate d)               (the first time it leaves d0, d_max)

    d starts at d0, far too small, and grows while theta moves on against the gradients; theta0 is the first theta.
    Leave lr at 1, or let a schedule shape it; tune d_coef. Each array has a d of its own here: in the authors' code
    the two sums run over all parameters of a model, which is this rule on one long array. Without gradient so far,
    theta only decays; a NaN gradient makes its number NaN, and d grows no more. theta, g: any shape, the same.
    Raises ValueError unless d0 > 0, d_coef > 0 and growth_rate >= 1; other errors as in Adam.
    PyTorch: none. The package prodigyopt has Prodigy(lr, betas=(beta1, beta2), eps, weight_decay, d0, d_coef).
    Source: Mishchenko and Defazio 2024.
    """

    elementwise: ClassVar[bool] = False
    lr: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    d0: float = 1e-6
    d_coef: float = 1.0
    growth_rate: float = inf

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)
        positive(d0=self.d0, d_coef=self.d_coef)
        number(growth_rate=self.growth_rate)
        if not self.growth_rate >= 1:
            raise ValueError(f"growth_rate={self.growth_rate} is not allowed; it must be a number >= 1")

    def init(self, theta) -> ProdigyState:
        m, v, s, d = zeros_for(theta), zeros_for(theta), zeros_for(theta), float(self.d0)
        return ProdigyState(t=0, m=m, v=v, theta0=zeros_for(theta) + theta, s=s, r=0.0, d=d, d_max=d)

    @in_theta_dtype
    def update(self, theta, g, state):
        xp, d, beta3 = array_namespace(theta), state.d, sqrt(self.beta2)
        m = self.beta1 * state.m + (1 - self.beta1) * (d * g)
        v = self.beta2 * state.v + (1 - self.beta2) * (d * g) ** 2
        w = float(self.lr * d * (d / self.d0))
        r = beta3 * state.r + w * float(xp.sum(g * (state.theta0 - theta)))
        s = beta3 * state.s + w * g
        size = float(xp.sum(xp.abs(s)))
        d_max = max(state.d_max, float(self.d_coef * r / size)) if size > 0 else state.d_max
        d_new = float(min(d_max, self.growth_rate * d)) if d > self.d0 else d_max
        theta = (1 - self.lr * d * self.weight_decay) * theta
        theta = theta - divide(self.lr * d * m, xp.sqrt(v) + d_new * self.eps)
        return theta, ProdigyState(state.t + 1, m, v, state.theta0, s, r, d_new, d_max)
