from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide, norm


class LAMBState(NamedTuple):
    t: int
    m: Any
    v: Any


@dataclass(frozen=True)
class LAMB:
    """LAMB: Adam's direction, rescaled so that every array's step is lr times its own norm.

    m     <- beta1 m + (1 - beta1) g                 v <- beta2 v + (1 - beta2) g^2
    m_hat  = m / (1 - beta1^t)                       v_hat = v / (1 - beta2^t)         t = 1, 2, ...
    u      = m_hat / (sqrt(v_hat) + eps) + weight_decay theta
    theta <- theta - lr ||theta|| / ||u|| u          (lr u where either norm is 0)

    ||.|| is the root of the sum of squares over the whole array. theta, g: any shape, the same. An array of zeros
    takes Adam's steps, otherwise it could never leave 0. With eps = 0 a number without gradient only decays;
    a NaN gradient makes the whole array NaN. Errors as in Adam.
    PyTorch: none.   Source: You et al. 2020, Algorithm 2, with phi(z) = z.
    """

    elementwise: ClassVar[bool] = False
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-6
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)

    def init(self, theta) -> LAMBState:
        return LAMBState(t=0, m=zeros_for(theta), v=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        m = self.beta1 * state.m + (1 - self.beta1) * g
        v = self.beta2 * state.v + (1 - self.beta2) * g**2
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        u = divide(m_hat, xp.sqrt(v_hat) + self.eps) + self.weight_decay * theta
        top, bottom = norm(theta), norm(u)
        scaled = xp.where((top == 0) | (bottom == 0), u, top * divide(u, bottom))  # top / bottom alone may overflow
        return theta - self.lr * scaled, LAMBState(t, m, v)
