from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, flag, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide


class RAdamState(NamedTuple):
    t: int
    m: Any
    v: Any


@dataclass(frozen=True)
class RAdam:
    """RAdam: Adam that does not divide by v before v rests on enough gradients, and then only cautiously.

    g     <- g + weight_decay theta                  (decoupled: theta <- (1 - lr weight_decay) theta instead)
    m     <- beta1 m + (1 - beta1) g                 v <- beta2 v + (1 - beta2) g^2
    rho    = 2 / (1 - beta2) - 1,  rho_t = rho - 2 t beta2^t / (1 - beta2^t)              t = 1, 2, ...
    theta <- theta - lr m_hat                                                 while rho_t <= 5
    theta <- theta - lr r_t m_hat sqrt(1 - beta2^t) / (sqrt(v) + eps)         from then on
    m_hat  = m / (1 - beta1^t),  r_t = sqrt((rho_t - 4)(rho_t - 2) rho / ((rho - 4)(rho - 2) rho_t))

    At beta2 = 0.999 the change comes at step 6. eps is outside the correction, unlike Adam's. Shapes and
    errors as in Adam. With eps = 0 a number without gradient stays (PyTorch: NaN); a NaN gradient makes
    its number NaN for good.
    PyTorch: torch.optim.RAdam(lr, betas=(beta1, beta2), eps=..., weight_decay=..., decoupled_weight_decay=...).
    Source: Liu et al. 2020, Algorithm 2 (which changes at rho_t > 4).
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled_weight_decay: bool = False

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)
        flag(decoupled_weight_decay=self.decoupled_weight_decay)

    def init(self, theta) -> RAdamState:
        return RAdamState(t=0, m=zeros_for(theta), v=zeros_for(theta))

    def rectifier(self, t: int) -> float:
        """r_t, the factor that shortens early adaptive steps; 0 while v is not to be trusted at all."""
        rho = 2 / (1 - self.beta2) - 1
        rho_t = rho - 2 * t * self.beta2**t / (1 - self.beta2**t)
        return sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t)) if rho_t > 5 else 0.0

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        if self.decoupled_weight_decay:
            theta = (1 - self.lr * self.weight_decay) * theta
        else:
            g = g + self.weight_decay * theta
        m = self.beta1 * state.m + (1 - self.beta1) * g
        v = self.beta2 * state.v + (1 - self.beta2) * g**2
        step, r = self.lr * m / (1 - self.beta1**t), self.rectifier(t)
        if r > 0:
            step = divide(r * sqrt(1 - self.beta2**t) * step, xp.sqrt(v) + self.eps)
        return theta - step, RAdamState(t, m, v)
