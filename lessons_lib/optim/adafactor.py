from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, device, is_half, zeros_for
from ..core.options import at_least_0, finite, number
from ..core.rule import in_theta_dtype
from ._stable import divide, norm


class AdafactorState(NamedTuple):
    t: int
    row: Any  # (..., n, 1) and
    col: Any  # (..., 1, m), both None for a vector
    v: Any  # None for a matrix


def _square(a):
    """a^2, at most the largest number there is: the step that a mean of squares divides is bounded anyway."""
    xp = array_namespace(a)
    return xp.clip(a * a, max=xp.finfo(a.dtype).max)


def _mean(a, axis):
    """The mean along an axis, which stays with length 1; 0 where it is empty. Divided first: no sum overflows."""
    return array_namespace(a).sum(a / max(a.shape[axis], 1), axis=axis, keepdims=True)


def _rms(a):
    return norm(a) / sqrt(max(prod(a.shape), 1))


@dataclass(frozen=True)
class Adafactor:
    """Adafactor: a second moment from row and column means, steps measured against the size of theta.

    b      = t^beta2_decay,  rms(x) = sqrt(mean(x^2))                              t = 1, 2, ...
    row   <- (1 - b) row + b mean_over_columns(g^2)      col <- (1 - b) col + b mean_over_rows(g^2)
    v      = row col / max(mean(row), eps1)              (vector: v <- (1 - b) v + b g^2)
    u      = g / max(sqrt(v), eps1)
    theta <- (1 - lr weight_decay) theta - max(eps2, rms(theta)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / d)

    n + m numbers of state instead of n m. theta, g: any shape, the same; the last two axes are factored.
    rms(theta) is taken before the decay. eps1 = None is the epsilon of theta's dtype (float32's for half).
    With eps1 = 0 a number without gradient stays (PyTorch: NaN); a NaN gradient makes the whole array NaN.
    Raises ValueError unless beta2_decay <= 0 and d >= 1; other errors as in Adam.
    PyTorch: torch.optim.Adafactor(lr, beta2_decay, eps=(eps1, eps2), d, weight_decay).
    Source: Shazeer and Stern 2018, Algorithms 4 to 6; lr, weight decay and the place of eps1 are PyTorch's.
    """

    elementwise: ClassVar[bool] = False
    lr: float = 1e-2
    beta2_decay: float = -0.8
    eps1: float | None = None
    eps2: float = 1e-3
    d: float = 1.0
    weight_decay: float = 0.0

    def __post_init__(self):
        eps1 = 0.0 if self.eps1 is None else self.eps1
        at_least_0(lr=self.lr, eps1=eps1, eps2=self.eps2, weight_decay=self.weight_decay)
        finite(beta2_decay=self.beta2_decay)
        number(d=self.d)
        if not self.beta2_decay <= 0:
            raise ValueError(f"beta2_decay={self.beta2_decay} is not allowed; it must be <= 0")
        if not self.d >= 1:
            raise ValueError(f"d={self.d} is not allowed; it must be >= 1")

    def init(self, theta) -> AdafactorState:
        if theta.ndim < 2:
            return AdafactorState(t=0, row=None, col=None, v=zeros_for(theta))
        xp, (*rest, n, m) = array_namespace(theta), theta.shape
        row, col = (
            xp.zeros(shape, dtype=xp.float32 if is_half(theta) else theta.dtype, device=device(theta))
            for shape in ((*rest, n, 1), (*rest, 1, m))
        )
        return AdafactorState(t=0, row=row, col=col, v=None)

    def second_moment(self, g, state, eps1):
        """v, and the state it comes from."""
        xp, t = array_namespace(g), state.t + 1
        b = t**self.beta2_decay
        if g.ndim < 2:
            v = (1 - b) * state.v + b * _square(g)
            return v, AdafactorState(t, None, None, v)
        row = (1 - b) * state.row + b * _mean(_square(g), axis=-1)
        col = (1 - b) * state.col + b * _mean(_square(g), axis=-2)
        share = divide(row, xp.clip(_mean(row, axis=-2), min=eps1))
        return share * col, AdafactorState(t, row, col, None)

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        info = xp.finfo(theta.dtype)
        eps1 = info.eps if self.eps1 is None else min(self.eps1, info.max)
        v, state = self.second_moment(g, state, eps1)
        u = divide(g, xp.clip(xp.sqrt(v), min=eps1))
        size = xp.clip(_rms(theta), min=min(self.eps2, info.max)) * min(self.lr, state.t**-0.5)
        clipped = u / xp.clip(_rms(u) / self.d, min=1.0)
        return (1 - self.lr * self.weight_decay) * theta - size * clipped, state
