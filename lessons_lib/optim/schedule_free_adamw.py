from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction, positive
from ..core.rule import in_theta_dtype
from ._stable import divide


class ScheduleFreeAdamWState(NamedTuple):
    t: int
    z: Any
    v: Any
    lr_max: float
    weight_sum: float


@dataclass(frozen=True)
class ScheduleFreeAdamW:
    """Schedule-free AdamW: an average of the weights in place of momentum and of a falling rate.

    v <- beta2 v + (1 - beta2) g^2        v_hat = v / (1 - beta2^t)                     t = 1, 2, ...
    u  = g / (sqrt(v_hat) + eps) + weight_decay y              y is theta, where g was taken
    z <- z - lr u
    x <- (1 - c) x + c z           c = w / (sum of all w so far),  w = (the largest lr so far)^2
    y <- (1 - beta1) z + beta1 x

    Train with theta, predict with rule.averaged(theta, state). beta1 blends z and x; no gradient is averaged. How x and
    c are kept, the warm-up and NaN as in ScheduleFreeSGD. Raises ValueError unless 0 < beta1 < 1; other errors as in
    Adam.
    PyTorch: none. The package schedulefree has AdamWScheduleFree(lr, betas=(beta1, beta2), eps, weight_decay).
    Source: Defazio et al. 2024.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 2.5e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)
        positive(beta1=self.beta1)

    def init(self, theta) -> ScheduleFreeAdamWState:
        return ScheduleFreeAdamWState(0, zeros_for(theta) + theta, zeros_for(theta), lr_max=0.0, weight_sum=0.0)

    def averaged(self, theta, state):
        """x, the weights to predict with."""
        xp = array_namespace(theta)
        x = (xp.astype(theta, state.z.dtype) - (1 - self.beta1) * state.z) / self.beta1
        return xp.astype(x, theta.dtype)

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        v = self.beta2 * state.v + (1 - self.beta2) * g**2
        v_hat = v / (1 - self.beta2**t)
        u = divide(g, xp.sqrt(v_hat) + self.eps) + self.weight_decay * theta
        lr_max = max(float(self.lr), state.lr_max)
        weight_sum = state.weight_sum + lr_max * lr_max
        c = lr_max * lr_max / weight_sum if weight_sum else 0.0
        theta = (1 - c) * theta + c * state.z - self.lr * (1 - self.beta1 * (1 - c)) * u
        return theta, ScheduleFreeAdamWState(t, state.z - self.lr * u, v, lr_max, weight_sum)
