from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction, positive
from ..core.rule import in_theta_dtype


class ScheduleFreeSGDState(NamedTuple):
    t: int
    z: Any
    lr_max: float
    weight_sum: float


@dataclass(frozen=True)
class ScheduleFreeSGD:
    """Schedule-free SGD: gradients are taken between SGD's point z and the average x of its points.

    u  = g + weight_decay y                                    y is theta, where g was taken
    z <- z - lr u
    x <- (1 - c) x + c z           c = w / (sum of all w so far),  w = (the largest lr so far)^2
    y <- (1 - beta) z + beta x

    Train with theta, predict with rule.averaged(theta, state): no schedule needs to know the last step. With a constant
    lr, c = 1 / t. x is not kept: y <- (1 - c) y + c z - lr (1 - beta (1 - c)) u, with z before its step, is the same.
    A warm-up of lr comes from outside, as a schedule does. theta, g: any shape, the same. A NaN gradient makes its
    number NaN for good. Raises ValueError unless 0 < beta < 1; other errors as in SGD.
    PyTorch: none. The package schedulefree has SGDScheduleFree(lr, momentum=beta, weight_decay).
    Source: Defazio et al. 2024.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1.0
    beta: float = 0.9
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, weight_decay=self.weight_decay)
        fraction(beta=self.beta)
        positive(beta=self.beta)

    def init(self, theta) -> ScheduleFreeSGDState:
        return ScheduleFreeSGDState(t=0, z=zeros_for(theta) + theta, lr_max=0.0, weight_sum=0.0)

    def averaged(self, theta, state):
        """x, the weights to predict with."""
        xp = array_namespace(theta)
        x = (xp.astype(theta, state.z.dtype) - (1 - self.beta) * state.z) / self.beta
        return xp.astype(x, theta.dtype)

    @in_theta_dtype
    def update(self, theta, g, state):
        lr_max = max(float(self.lr), state.lr_max)
        weight_sum = state.weight_sum + lr_max * lr_max
        c = lr_max * lr_max / weight_sum if weight_sum else 0.0
        u = g + self.weight_decay * theta
        theta = (1 - c) * theta + c * state.z - self.lr * (1 - self.beta * (1 - c)) * u
        return theta, ScheduleFreeSGDState(state.t + 1, state.z - self.lr * u, lr_max, weight_sum)
