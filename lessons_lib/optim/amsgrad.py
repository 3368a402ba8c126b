from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide


class AMSGradState(NamedTuple):
    t: int
    m: Any
    v: Any
    v_max: Any


@dataclass(frozen=True)
class AMSGrad:
    """AMSGrad: Adam whose divisor never shrinks, with AdamW's decay.

    theta <- (1 - lr weight_decay) theta             (none by default)
    m     <- beta1 m + (1 - beta1) g                 v <- beta2 v + (1 - beta2) g^2
    v_max <- max(v_max, v)
    theta <- theta - lr m_hat / (sqrt(v_max / (1 - beta2^t)) + eps)         m_hat = m / (1 - beta1^t)

    Every operation is elementwise. Shapes, errors, extremes as in Adam. Like PyTorch, the maximum is taken
    before the bias correction; the paper has no bias correction.
    PyTorch: torch.optim.AdamW(lr, betas=(beta1, beta2), eps=..., weight_decay=..., amsgrad=True).
    Source: Reddi, Kale and Kumar 2018, Algorithm 2.
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

    def init(self, theta) -> AMSGradState:
        return AMSGradState(t=0, m=zeros_for(theta), v=zeros_for(theta), v_max=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        theta = (1 - self.lr * self.weight_decay) * theta
        m = self.beta1 * state.m + (1 - self.beta1) * g
        v = self.beta2 * state.v + (1 - self.beta2) * g**2
        v_max = xp.maximum(state.v_max, v)
        m_hat = m / (1 - self.beta1**t)
        v_hat = v_max / (1 - self.beta2**t)
        return theta - divide(self.lr * m_hat, xp.sqrt(v_hat) + self.eps), AMSGradState(t, m, v, v_max)
