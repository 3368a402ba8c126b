from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction
from ..core.rule import in_theta_dtype
from ._stable import divide


class SparseAdamState(NamedTuple):
    t: int
    m: Any
    v: Any


@dataclass(frozen=True)
class SparseAdam:
    """SparseAdam: Adam for tables of embeddings; a row without gradient keeps its numbers and its means.

    for every row theta[i] of which g[i] is not all 0:
    m     <- beta1 m + (1 - beta1) g                 v <- beta2 v + (1 - beta2) g^2
    theta <- theta - lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)          t = 1, 2, ...

    t counts the calls, not the visits to a row: the first visit of a rare row is hardly corrected, so it is a long
    step. eps is outside the correction, unlike Adam's. theta, g: any shape, the same, rows first; g is an
    ordinary array. With eps = 0 a number without gradient stays (PyTorch refuses eps = 0); a NaN gradient makes
    its number NaN for good. Errors as in Adam.
    PyTorch: torch.optim.SparseAdam(lr, betas=(beta1, beta2), eps=...), which takes sparse gradients and
    counts a stored row of zeros as visited.
    Source: Kingma and Ba 2015, Algorithm 1, row by row.
    """

    elementwise: ClassVar[bool] = False  # whether a number moves depends on its row
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps)
        fraction(beta1=self.beta1, beta2=self.beta2)

    def init(self, theta) -> SparseAdamState:
        return SparseAdamState(t=0, m=zeros_for(theta), v=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        visited = xp.any(g != 0, axis=tuple(range(1, g.ndim)), keepdims=True)
        m = xp.where(visited, self.beta1 * state.m + (1 - self.beta1) * g, state.m)
        v = xp.where(visited, self.beta2 * state.v + (1 - self.beta2) * g**2, state.v)
        lr = self.lr * sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        step = divide(lr * m, xp.sqrt(v) + self.eps)
        return xp.where(visited, theta - step, theta), SparseAdamState(t, m, v)
