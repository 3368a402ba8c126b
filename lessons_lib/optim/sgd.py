from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..core.options import at_least_0
from ..core.rule import in_theta_dtype


class SGDState(NamedTuple):
    t: int


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: a step against the gradient.

    g     <- g + weight_decay theta         (an L2 penalty; 0 by default)
    theta <- theta - lr g

    g is the gradient of the batch's mean loss. theta, g: any shape, the same. Raises ValueError on a
    negative or NaN hyperparameter or on other shapes, TypeError on integer arrays.
    PyTorch: torch.optim.SGD(lr, weight_decay=...).   Source: Robbins and Monro 1951.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-3
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, weight_decay=self.weight_decay)

    def init(self, theta) -> SGDState:
        return SGDState(t=0)

    @in_theta_dtype
    def update(self, theta, g, state):
        g = g + self.weight_decay * theta
        return theta - self.lr * g, SGDState(state.t + 1)
