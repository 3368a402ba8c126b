from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide


class AdamaxState(NamedTuple):
    t: int
    m: Any
    u: Any


@dataclass(frozen=True)
class Adamax:
    """Adamax: Adam with a decaying maximum of |g| in place of the root of the mean square.

    g     <- g + weight_decay theta
    m     <- beta1 m + (1 - beta1) g                 m_hat = m / (1 - beta1^t)         t = 1, 2, ...
    u     <- max(beta2 u, |g| + eps)                 a maximum does not start too small: no correction
    theta <- theta - lr m_hat / u

    Every operation is elementwise. Shapes and errors as in Adam. With eps = 0 a number without gradient stays
    (PyTorch: NaN); a NaN gradient makes its number NaN for good.
    PyTorch: torch.optim.Adamax(lr, betas=(beta1, beta2), eps=..., weight_decay=...).
    Source: Kingma and Ba 2015, Algorithm 2; eps is PyTorch's.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)

    def init(self, theta) -> AdamaxState:
        return AdamaxState(t=0, m=zeros_for(theta), u=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        g = g + self.weight_decay * theta
        m = self.beta1 * state.m + (1 - self.beta1) * g
        u = xp.maximum(self.beta2 * state.u, xp.abs(g) + self.eps)
        m_hat = m / (1 - self.beta1**t)
        return theta - divide(self.lr * m_hat, u), AdamaxState(t, m, u)
