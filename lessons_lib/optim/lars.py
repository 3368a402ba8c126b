from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0
from ..core.rule import in_theta_dtype
from ._stable import divide, norm


class LARSState(NamedTuple):
    t: int
    u: Any


@dataclass(frozen=True)
class LARS:
    """LARS: momentum in which every array gets its own rate, so that its step is a set fraction of its norm.

    ratio  = trust ||theta|| / (||g|| + weight_decay ||theta||)          (1 where either of the two is 0)
    u     <- momentum u + lr ratio (g + weight_decay theta)
    theta <- theta - u

    ||.|| is the root of the sum of squares over the whole array. lr is inside u, so a new lr acts on new
    gradients only (PyTorch's momentum keeps it outside). theta, g: any shape, the same. An array of zeros takes plain
    steps, otherwise it could never leave 0. A NaN gradient makes the whole array NaN. Errors as in SGD.
    PyTorch: none.   Source: You, Gitman and Ginsburg 2017, Algorithm 1.
    """

    elementwise: ClassVar[bool] = False
    lr: float = 1.0
    momentum: float = 0.9
    weight_decay: float = 0.0
    trust: float = 1e-3

    def __post_init__(self):
        at_least_0(lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay, trust=self.trust)

    def init(self, theta) -> LARSState:
        return LARSState(t=0, u=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        top, bottom = norm(theta), norm(g) + self.weight_decay * norm(theta)
        plain = (top == 0) | (bottom == 0)
        g = g + self.weight_decay * theta
        scaled = xp.where(plain, g, self.trust * top * divide(g, bottom))  # top / bottom alone may overflow
        u = self.momentum * state.u + self.lr * scaled
        return theta - u, LARSState(state.t + 1, u)
