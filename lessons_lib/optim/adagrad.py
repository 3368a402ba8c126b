from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0
from ..core.rule import in_theta_dtype
from ._stable import divide


class AdaGradState(NamedTuple):
    t: int
    v: Any


@dataclass(frozen=True)
class AdaGrad:
    """AdaGrad: each number's step shrinks with the sum of its own squared gradients.

    g     <- g + weight_decay theta
    v     <- v + g^2                                         v starts at initial_accumulator_value
    theta <- theta - lr_t g / (sqrt(v) + eps)                lr_t = lr / (1 + (t - 1) lr_decay),  t = 1, 2, ...

    Nothing is forgotten, so steps fall like 1 / sqrt(t). theta, g: any shape, the same. With eps = 0 a number
    without gradient stays (PyTorch: NaN); a NaN gradient makes its number NaN for good. Errors as in Adam.
    PyTorch: torch.optim.Adagrad(lr, lr_decay, weight_decay, initial_accumulator_value, eps).
    Source: Duchi, Hazan and Singer 2011, section 1.1 (diagonal form); eps and lr_decay are PyTorch's.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-2
    lr_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10
    weight_decay: float = 0.0

    def __post_init__(self):
        at_least_0(lr=self.lr, lr_decay=self.lr_decay, eps=self.eps, weight_decay=self.weight_decay)
        at_least_0(initial_accumulator_value=self.initial_accumulator_value)

    def init(self, theta) -> AdaGradState:
        return AdaGradState(t=0, v=zeros_for(theta) + self.initial_accumulator_value)

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        g = g + self.weight_decay * theta
        v = state.v + g**2
        lr = self.lr / (1 + (t - 1) * self.lr_decay)
        return theta - divide(lr * g, xp.sqrt(v) + self.eps), AdaGradState(t, v)
