from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, flag, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide, variance


class RMSPropState(NamedTuple):
    t: int
    v: Any
    m: Any
    u: Any


@dataclass(frozen=True)
class RMSProp:
    """RMSProp: the gradient divided by the root of the running mean of its square.

    g     <- g + weight_decay theta
    v     <- alpha v + (1 - alpha) g^2               m <- alpha m + (1 - alpha) g     (m only if centered)
    u     <- momentum u + g / (sqrt(v) + eps)        (centered: v - m^2, a variance, instead of v)
    theta <- theta - lr u

    v starts at 0 and is not corrected for it: the first step is lr / sqrt(1 - alpha) long. theta, g: any
    shape, the same. Centered, a constant gradient has variance 0: its steps grow to lr g / eps, as PyTorch's
    do. The variance is held at 0 where rounding makes it negative (PyTorch: NaN). With eps = 0 a divisor of 0
    divides by nothing (PyTorch: NaN); a NaN gradient makes its number NaN for good. Errors as in Adam.
    PyTorch: torch.optim.RMSprop(lr, alpha, eps, weight_decay, momentum, centered).
    Source: Tieleman and Hinton 2012, lecture 6.5; centered: Graves 2013, equations 38 to 41.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0
    centered: bool = False
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, momentum=self.momentum, weight_decay=self.weight_decay)
        fraction(alpha=self.alpha)
        flag(centered=self.centered)

    def init(self, theta) -> RMSPropState:
        return RMSPropState(t=0, v=zeros_for(theta), m=zeros_for(theta), u=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        g = g + self.weight_decay * theta
        v = self.alpha * state.v + (1 - self.alpha) * g**2
        m = self.alpha * state.m + (1 - self.alpha) * g
        spread = variance(v, m) if self.centered else v
        u = self.momentum * state.u + divide(g, xp.sqrt(spread) + self.eps)
        return theta - self.lr * u, RMSPropState(state.t + 1, v, m, u)
