from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide


class AdadeltaState(NamedTuple):
    t: int
    v: Any
    d: Any


@dataclass(frozen=True)
class Adadelta:
    """Adadelta: RMSProp whose learning rate is the root mean square of the earlier steps.

    g     <- g + weight_decay theta
    v     <- rho v + (1 - rho) g^2
    step   = sqrt(d + eps) / sqrt(v + eps) g
    d     <- rho d + (1 - rho) step^2                d starts at 0, so eps sets the first step
    theta <- theta - lr step

    The step has the units of theta. eps is inside the roots. theta, g: any shape, the same. With eps = 0
    nothing ever moves (PyTorch: NaN where the gradient is 0). A NaN gradient makes its number NaN for good.
    Errors as in Adam; rho lies in [0, 1).
    PyTorch: torch.optim.Adadelta(lr, rho, eps, weight_decay).   Source: Zeiler 2012, Algorithm 1 (lr = 1).
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(rho=self.rho)

    def init(self, theta) -> AdadeltaState:
        return AdadeltaState(t=0, v=zeros_for(theta), d=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        g = g + self.weight_decay * theta
        v = self.rho * state.v + (1 - self.rho) * g**2
        step = divide(xp.sqrt(state.d + self.eps), xp.sqrt(v + self.eps)) * g
        d = self.rho * state.d + (1 - self.rho) * step**2
        return theta - self.lr * step, AdadeltaState(state.t + 1, v, d)
