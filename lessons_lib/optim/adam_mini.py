from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, device, zeros_for
from ..core.options import at_least_0, fraction, whole
from ..core.rule import in_theta_dtype
from ._stable import divide


class AdamMiniState(NamedTuple):
    t: int
    m: Any
    v: Any  # (blocks, 1)


@dataclass(frozen=True)
class AdamMini:
    """Adam-mini: AdamW with one second moment, and so one rate, for a whole block of numbers.

    theta <- (1 - lr weight_decay) theta
    m     <- beta1 m + (1 - beta1) g                 v <- beta2 v + (1 - beta2) mean_over_block(g^2)
    m_hat  = m / (1 - beta1^t)                       v_hat = v / (1 - beta2^t)         t = 1, 2, ...
    theta <- theta - lr m_hat / (sqrt(v_hat) + eps)

    blocks: theta is cut along its first axis into so many equal pieces; None: one per entry of that axis. The paper's
    partition of a transformer, with weights (out, in): None for embeddings, values, projections and MLPs, a token or
    an output neuron each; the number of heads for queries and keys; 1 for the rest. theta, g: any shape, the same.
    A NaN gradient makes its block NaN. Raises ValueError unless blocks divides the first axis; other errors as in Adam.
    PyTorch: none. The package adam-mini has Adam_mini, which tells the blocks by the parameters' names.
    Source: Zhang et al. 2025, Algorithms 1 and 3.
    """

    elementwise: ClassVar[bool] = False
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    blocks: int | None = None

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2)
        if self.blocks is not None:
            whole(least=1, blocks=self.blocks)

    def init(self, theta) -> AdamMiniState:
        entries = theta.shape[0] if theta.ndim else 1
        blocks = entries if self.blocks is None else self.blocks
        if entries and entries % blocks:
            raise ValueError(f"blocks={blocks} must divide the first axis of theta, got shape {tuple(theta.shape)}")
        xp, m = array_namespace(theta), zeros_for(theta)
        return AdamMiniState(t=0, m=m, v=xp.zeros((blocks, 1), dtype=m.dtype, device=device(theta)))

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        t = state.t + 1
        block = (state.v.shape[0], prod(g.shape) // max(state.v.shape[0], 1))
        theta = (1 - self.lr * self.weight_decay) * theta
        m = self.beta1 * state.m + (1 - self.beta1) * g
        mean_square = xp.sum(xp.reshape(g, block) ** 2, axis=1, keepdims=True) / max(block[1], 1)
        v = self.beta2 * state.v + (1 - self.beta2) * mean_square
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        step = divide(self.lr * xp.reshape(m_hat, block), xp.sqrt(v_hat) + self.eps)
        return theta - xp.reshape(step, theta.shape), AdamMiniState(t, m, v)
