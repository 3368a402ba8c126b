from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, flag, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide


class NAdamState(NamedTuple):
    t: int
    mu_product: float
    m: Any
    v: Any


@dataclass(frozen=True)
class NAdam:
    """NAdam: Adam that looks ahead as Nesterov does, with a momentum mu_t that warms up to beta1.

    g     <- g + weight_decay theta                  (decoupled: theta <- (1 - lr weight_decay) theta instead)
    m     <- beta1 m + (1 - beta1) g                 v <- beta2 v + (1 - beta2) g^2
    mu_t   = beta1 (1 - 0.96^(t momentum_decay) / 2),  P_t = mu_1 mu_2 ... mu_t           t = 1, 2, ...
    m_hat  = mu_(t+1) m / (1 - P_(t+1)) + (1 - mu_t) g / (1 - P_t)
    theta <- theta - lr m_hat / (sqrt(v / (1 - beta2^t)) + eps)

    Every operation is elementwise. Shapes and errors as in Adam. With eps = 0 a number without gradient stays
    (PyTorch: NaN); a NaN gradient makes its number NaN for good.
    PyTorch: torch.optim.NAdam(lr, betas=(beta1, beta2), eps=..., weight_decay=..., momentum_decay=...,
    decoupled_weight_decay=...), which rounds P_t to float32. Other libraries keep mu = beta1.
    Source: Dozat 2016, Algorithm 2.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum_decay: float = 4e-3
    decoupled_weight_decay: bool = False

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay, momentum_decay=self.momentum_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)
        flag(decoupled_weight_decay=self.decoupled_weight_decay)

    def init(self, theta) -> NAdamState:
        return NAdamState(t=0, mu_product=1.0, m=zeros_for(theta), v=zeros_for(theta))

    def mu(self, t: int) -> float:
        """The momentum of step t: beta1 / 2 at first, beta1 in the end."""
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

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
        product, ahead = float(state.mu_product * self.mu(t)), self.mu(t + 1)
        m_hat = ahead / (1 - product * ahead) * m + (1 - self.mu(t)) / (1 - product) * g
        v_hat = v / (1 - self.beta2**t)
        return theta - divide(self.lr * m_hat, xp.sqrt(v_hat) + self.eps), NAdamState(t, product, m, v)
