from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction, positive
from ..core.rule import alike, in_theta_dtype
from ._stable import divide


class SophiaState(NamedTuple):
    t: int
    m: Any
    h: Any


@dataclass(frozen=True)
class Sophia:
    """Sophia: momentum divided by the curvature along each number, and no step longer than lr.

    m     <- beta1 m + (1 - beta1) g
    theta <- (1 - lr weight_decay) theta - lr clip(m / max(gamma h, eps), -1, 1)

    h is a running mean of estimates of the Hessian's diagonal, which a gradient does not hold: every 10 steps or so,
    and before that step's update, state = rule.with_curvature(state, estimate). Two estimates: Hutchinson's
    u * (H u), with random signs u and a product of the Hessian with u; Gauss-Newton-Bartlett's B g_s^2, where g_s is
    the gradient of the mean loss of B examples on labels drawn from the model itself. Without curvature, or where it
    is negative, the step is lr sign(m). theta, g: any shape, the same. A NaN makes its number NaN for good.
    Raises ValueError unless eps > 0; other errors as in Adam.
    PyTorch: none. The authors' code writes m / (gamma B h + eps), with B outside h; optax corrects the bias of m.
    Source: Liu et al. 2024, Algorithm 3.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-4
    beta1: float = 0.965
    beta2: float = 0.99
    gamma: float = 0.01
    eps: float = 1e-12
    weight_decay: float = 0.1

    def __post_init__(self):
        at_least_0(lr=self.lr, gamma=self.gamma, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)
        positive(eps=self.eps)

    def init(self, theta) -> SophiaState:
        return SophiaState(t=0, m=zeros_for(theta), h=zeros_for(theta))

    def with_curvature(self, state, estimate) -> SophiaState:
        """The state with h <- beta2 h + (1 - beta2) estimate, an array shaped like theta."""
        alike(h=state.h, estimate=estimate)
        estimate = array_namespace(state.h).astype(estimate, state.h.dtype)
        return state._replace(h=self.beta2 * state.h + (1 - self.beta2) * estimate)

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        m = self.beta1 * state.m + (1 - self.beta1) * g
        scale = xp.clip(self.gamma * state.h, min=min(self.eps, xp.finfo(theta.dtype).max))
        step = xp.clip(divide(m, scale), -1.0, 1.0)  # eps may have rounded to 0
        return (1 - self.lr * self.weight_decay) * theta - self.lr * step, SophiaState(state.t + 1, m, state.h)
