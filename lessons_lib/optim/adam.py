from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide


class AdamState(NamedTuple):
    t: int
    m: Any
    v: Any


@dataclass(frozen=True)
class Adam:
    """Adam: running means of the gradient and of its square, corrected for their start at 0.

    g     <- g + weight_decay theta                  (L2 inside the gradient, not AdamW)
    m     <- beta1 m + (1 - beta1) g                 v <- beta2 v + (1 - beta2) g^2
    m_hat  = m / (1 - beta1^t)                       v_hat = v / (1 - beta2^t)         t = 1, 2, ...
    theta <- theta - lr m_hat / (sqrt(v_hat) + eps)

    Every operation is elementwise. theta, g: any shape, the same. Raises ValueError on a negative or NaN
    hyperparameter, a beta outside [0, 1), other shapes; TypeError on integer arrays. With eps = 0 a number
    without gradient stays (PyTorch: NaN); a NaN gradient makes its number NaN for good.
    PyTorch: torch.optim.Adam(lr, betas=(beta1, beta2), eps=..., weight_decay=...).
    Source: Kingma and Ba 2015, Algorithm 1.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)

    def init(self, theta) -> AdamState:
        return AdamState(t=0, m=zeros_for(theta), v=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        g = g + self.weight_decay * theta
        m = self.beta1 * state.m + (1 - self.beta1) * g
        v = self.beta2 * state.v + (1 - self.beta2) * g**2
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        return theta - divide(self.lr * m_hat, xp.sqrt(v_hat) + self.eps), AdamState(t, m, v)
