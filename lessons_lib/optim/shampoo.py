from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import zeros_for
from ..core.options import at_least_0, number
from ..core.rule import in_theta_dtype
from ._matrices import check_matrix, identity_for, inverse_root


class ShampooState(NamedTuple):
    t: int
    left: Any  # (rows, rows)
    right: Any  # (cols, cols)


@dataclass(frozen=True)
class Shampoo:
    """Shampoo: AdaGrad for a weight matrix, with a matrix in place of the root on either side of the gradient.

    left  <- beta left + g g^T                       right <- beta right + g^T g      both start at eps I
    theta <- theta - lr left^(-1/4) g right^(-1/4)

    beta = 1 is the paper's sum; below 1 old gradients fade, and the steps no longer shrink. theta, g: a matrix (rows,
    cols), not empty. No gradient, no move, with eps = 0 as well; where squares overflow, no move either. A NaN
    gradient makes the whole matrix NaN. Raises ValueError on other shapes and a beta outside [0, 1]; else as in Adam.
    PyTorch: none. Packages called Shampoo differ: some take the root -1/2, refresh it rarely, or graft Adam's length.
    Source: Gupta, Koren and Singer 2018, Algorithm 1.
    """

    elementwise: ClassVar[bool] = False
    lr: float = 0.1
    beta: float = 1.0
    eps: float = 1e-4

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps)
        number(beta=self.beta)
        if not 0 <= self.beta <= 1:
            raise ValueError(f"beta={self.beta} is not allowed; it must be a number in [0, 1]")

    def init(self, theta) -> ShampooState:
        check_matrix(theta=theta)
        left, right = (self.eps * identity_for(n, zeros_for(theta)) for n in theta.shape)
        return ShampooState(t=0, left=left, right=right)

    @in_theta_dtype
    def update(self, theta, g, state):
        left = self.beta * state.left + g @ g.T
        right = self.beta * state.right + g.T @ g
        step = inverse_root(left, 4) @ g @ inverse_root(right, 4)
        return theta - self.lr * step, ShampooState(state.t + 1, left, right)
