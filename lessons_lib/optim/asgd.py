from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import zeros_for
from ..core.options import at_least_0
from ..core.rule import in_theta_dtype


class ASGDState(NamedTuple):
    t: int
    ax: Any


@dataclass(frozen=True)
class ASGD:
    """Averaged SGD: gradient descent with a falling rate, and the average `ax` of the points it visits.

    g     <- g + weight_decay theta
    eta    = lr / (1 + lambd lr (t - 1))^alpha                       t = 1, 2, ...
    theta <- (1 - lambd eta) theta - eta g
    ax    <- ax + (theta - ax) / max(1, t - 1 - t0)                  ax = theta until t - 1 > t0 + 1

    Train with theta, predict with state.ax: the noise of the last steps averages out. theta, g: any
    shape, the same. A NaN gradient makes its number NaN for good, in ax too. Errors as in SGD.
    PyTorch: torch.optim.ASGD(lr, lambd, alpha, t0, weight_decay). It keeps eta in its state, so there a
    schedule's lr arrives one step late.
    Source: Polyak and Juditsky 1992; the rates are Bottou's and Xu's (2011).
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-2
    lambd: float = 1e-4
    alpha: float = 0.75
    t0: float = 1e6
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, lambd=self.lambd, alpha=self.alpha, t0=self.t0, weight_decay=self.weight_decay)

    def init(self, theta) -> ASGDState:
        return ASGDState(t=0, ax=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        t = state.t + 1
        g = g + self.weight_decay * theta
        eta = self.lr * (1 + self.lambd * self.lr * (t - 1)) ** -self.alpha
        theta = (1 - self.lambd * eta) * theta - eta * g
        n = max(1, t - 1 - self.t0)  # points in the average
        ax = theta if n == 1 else state.ax + (theta - state.ax) / n
        return theta, ASGDState(t, ax)
