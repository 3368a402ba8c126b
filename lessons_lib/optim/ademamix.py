from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide


class AdEMAMixState(NamedTuple):
    t: int
    m: Any
    slow: Any
    v: Any


@dataclass(frozen=True)
class AdEMAMix:
    """AdEMAMix: AdamW with a second, very slow mean of the gradients added to the first.

    theta <- (1 - lr weight_decay) theta
    m     <- beta1 m + (1 - beta1) g            slow <- beta3 slow + (1 - beta3) g
    v     <- beta2 v + (1 - beta2) g^2
    m_hat  = m / (1 - beta1^t)                  v_hat = v / (1 - beta2^t)              t = 1, 2, ...
    theta <- theta - lr (m_hat + alpha slow) / (sqrt(v_hat) + eps)

    The slow mean is not corrected: it starts at 0 and fills over 1 / (1 - beta3) steps. alpha = 0 is AdamW. The paper
    raises alpha and beta3 over the first T steps: hand over replace(rule, alpha=..., beta3=...) as with a schedule.
    Shapes, errors, extremes as in Adam.
    PyTorch: none.   Source: Pagliardini, Ablin and Grangier 2025.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    beta3: float = 0.9999
    alpha: float = 5.0
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, alpha=self.alpha, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2, beta3=self.beta3)

    def init(self, theta) -> AdEMAMixState:
        return AdEMAMixState(t=0, m=zeros_for(theta), slow=zeros_for(theta), v=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        theta = (1 - self.lr * self.weight_decay) * theta
        m = self.beta1 * state.m + (1 - self.beta1) * g
        slow = self.beta3 * state.slow + (1 - self.beta3) * g
        v = self.beta2 * state.v + (1 - self.beta2) * g**2
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        step = divide(self.lr * (m_hat + self.alpha * slow), xp.sqrt(v_hat) + self.eps)
        return theta - step, AdEMAMixState(t, m, slow, v)
