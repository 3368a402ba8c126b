from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction
from ..core.rule import in_theta_dtype


class LionState(NamedTuple):
    t: int
    m: Any


@dataclass(frozen=True)
class Lion:
    """Lion: the sign of a blend of momentum and gradient; every number moves by lr.

    c      = beta1 m + (1 - beta1) g
    theta <- (1 - lr weight_decay) theta - lr sign(c)
    m     <- beta2 m + (1 - beta2) g

    One running mean of state, where Adam keeps two. The step uses beta1, what is remembered beta2. sign(0) = 0: without
    gradient so far, theta only decays. A step is longer than Adam's at the same lr: take lr 3 to 10 times smaller and
    weight_decay as many times larger. theta, g: any shape, the same. A NaN gradient makes its number NaN for good.
    Errors as in Adam.
    PyTorch: none.   Source: Chen et al. 2023, Algorithm 2.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)

    def init(self, theta) -> LionState:
        return LionState(t=0, m=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        c = self.beta1 * state.m + (1 - self.beta1) * g
        theta = (1 - self.lr * self.weight_decay) * theta - self.lr * xp.sign(c)
        m = self.beta2 * state.m + (1 - self.beta2) * g
        return theta, LionState(state.t + 1, m)
