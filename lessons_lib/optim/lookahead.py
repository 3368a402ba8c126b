from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core import array_namespace, is_half
from ..core.options import at_least_0, whole
from ..core.rule import in_theta_dtype
from ._wrapper import a_rule


class LookaheadState(NamedTuple):
    t: int
    slow: Any
    inner: Any


@dataclass(frozen=True)
class Lookahead:
    """Lookahead: `steps` steps forward with any rule, then part of the way back to where they began.

    theta <- rule.update(theta, g)
    where t is a multiple of steps:  slow <- slow + alpha (theta - slow),  theta <- slow

    slow starts at theta. alpha = 1 never goes back and is the rule itself, alpha = 0 stays at the start. The inner
    rule's state runs on across the jump, as in the authors' code. `lr` is the rule's. Raises ValueError on steps < 1
    or an alpha outside [0, 1], TypeError on what is no rule; other errors as in the rule.
    PyTorch: none.   Source: Zhang, Lucas, Hinton and Ba 2019, Algorithm 1.
    """

    rule: Any
    steps: int = 5
    alpha: float = 0.5

    def __post_init__(self):
        a_rule(rule=self.rule)
        whole(least=1, steps=self.steps)
        at_least_0(alpha=self.alpha)
        if self.alpha > 1:
            raise ValueError(f"alpha={self.alpha} is not allowed; it must lie in [0, 1]")

    @property
    def lr(self):
        return self.rule.lr

    @property
    def elementwise(self) -> bool:
        return getattr(self.rule, "elementwise", False)

    def init(self, theta) -> LookaheadState:
        xp = array_namespace(theta)
        slow = xp.astype(theta, xp.float32) if is_half(theta) else theta
        return LookaheadState(t=0, slow=slow, inner=self.rule.init(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        t, slow = state.t + 1, state.slow
        theta, inner = self.rule.update(theta, g, state.inner)
        if t % self.steps == 0:
            theta = slow = (1 - self.alpha) * slow + self.alpha * theta
        return theta, LookaheadState(t, slow, inner)
