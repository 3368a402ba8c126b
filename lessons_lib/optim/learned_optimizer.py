from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, finite, numbers, whole
from ..core.rule import in_theta_dtype
from ._stable import divide

UNITS, FAST, SLOW, SQUARES = 8, 0.9, 0.99, 0.999


class LearnedState(NamedTuple):
    t: int
    fast: Any
    slow: Any
    v: Any


def initial_weights(seed=0) -> tuple[float, ...]:
    """Weights from which LearnedOptimizer can learn: it starts as Adam with eps = 0, whatever the seed.

    Two units give the fast mean back, relu(m) - relu(-m). The others look at random sums and do not speak yet.
    """
    whole(seed=seed)
    random = Random(int(seed))
    others = [w for _ in range(UNITS - 2) for w in (*(random.gauss(0, 0.5) for _ in range(3)), 0.0, 0.0)]
    return (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, -1.0, 0.0, *others)


@dataclass(frozen=True)
class LearnedOptimizer:
    """A rule that is learned: a small network reads each number's gradients and says how to move it.

    fast  <- 0.9 fast + 0.1 g      slow <- 0.99 slow + 0.01 g      v <- 0.999 v + 0.001 g^2
    f      = (g, fast / (1 - 0.9^t), slow / (1 - 0.99^t)) / sqrt(v / (1 - 0.999^t))
    d      = sum_j u_j relu(w_j . f)        s = sum_j z_j relu(w_j . f)        j = 1..8
    theta <- theta - lr d exp(s)

    weights: 40 numbers, for each unit w (3), u, z; the same for every number of theta. No biases: no gradient, no
    move; and the scale of the gradient does not count. With initial_weights() it is Adam. It learns, by evolution
    strategies say, when a loss after some steps is made small over many tasks. Errors as in Adam; ValueError unless
    weights are 40 finite numbers.
    PyTorch: none.   Source: Andrychowicz et al. 2016; a network for each number, direction and size: Metz et al. 2022.
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-3
    weights: tuple[float, ...] = initial_weights()

    def __post_init__(self):
        at_least_0(lr=self.lr)
        numbers(weights=self.weights)
        if len(self.weights) != 5 * UNITS:
            raise ValueError(f"weights must be {5 * UNITS} numbers, got {len(self.weights)}")
        finite(**{f"weights[{i}]": w for i, w in enumerate(self.weights)})

    def init(self, theta) -> LearnedState:
        return LearnedState(t=0, fast=zeros_for(theta), slow=zeros_for(theta), v=zeros_for(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        fast = FAST * state.fast + (1 - FAST) * g
        slow = SLOW * state.slow + (1 - SLOW) * g
        v = SQUARES * state.v + (1 - SQUARES) * g**2
        scale = xp.sqrt(v / (1 - SQUARES**t))
        f = [divide(a, scale) for a in (g, fast / (1 - FAST**t), slow / (1 - SLOW**t))]
        d, size = xp.zeros_like(g), xp.zeros_like(g)
        for i in range(0, 5 * UNITS, 5):
            a, b, c, to_d, to_size = map(float, self.weights[i : i + 5])
            unit = xp.clip(a * f[0] + b * f[1] + c * f[2], min=0.0)
            d, size = d + to_d * unit, size + to_size * unit
        return theta - self.lr * d * xp.exp(size), LearnedState(t, fast, slow, v)
