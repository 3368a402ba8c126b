from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import zeros_for
from ..core.options import at_least_0, finite, flag
from ..core.rule import in_theta_dtype


class MomentumState(NamedTuple):
    t: int
    u: Any


@dataclass(frozen=True)
class Momentum:
    """Gradient descent with momentum: a step along a decaying sum of gradients.

    g     <- g + weight_decay theta
    u     <- momentum u + (1 - dampening) g          (u = g at the first step, undamped)
    theta <- theta - lr u                            (nesterov: theta - lr (g + momentum u))

    u sums gradients, it does not average them: under a constant gradient the step grows towards
    lr g / (1 - momentum). theta, g: any shape, the same. Errors as in SGD.
    PyTorch: torch.optim.SGD(lr, momentum, dampening, weight_decay, nesterov).
    Source: Polyak 1964; Sutskever et al. 2013, equations 1 to 4, with lr outside the sum as in PyTorch.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-3
    momentum: float = 0.9
    dampening: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay)
        finite(dampening=self.dampening)
        flag(nesterov=self.nesterov)
        if self.nesterov and not (self.momentum > 0 and self.dampening == 0):
            raise ValueError("nesterov=True needs momentum > 0 and dampening = 0")

    def init(self, theta) -> MomentumState:
        return MomentumState(t=0, u=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        t = state.t + 1
        g = g + self.weight_decay * theta
        u = g if t == 1 else self.momentum * state.u + (1 - self.dampening) * g
        step = g + self.momentum * u if self.nesterov else u
        return theta - self.lr * step, MomentumState(t, u)
