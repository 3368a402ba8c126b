from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import Rule, array_namespace, zeros_for
from ..core.options import at_least_0, whole
from ..core.rule import in_theta_dtype
from ._matrices import check_matrix
from ._wrapper import a_rule


class GaLoreState(NamedTuple):
    t: int
    p: Any  # (the smaller side, rank), orthonormal columns
    inner: Any


def _top_directions(g, old):
    """The first singular vectors on g's smaller side, as many as old has; each points where its old one did."""
    xp = array_namespace(g)
    g = xp.where(xp.all(xp.isfinite(g)), g, xp.zeros_like(g))  # no decomposition of NaN; the gradient itself keeps it
    left, _, right = xp.linalg.svd(g, full_matrices=False)
    new = (left if g.shape[0] < g.shape[1] else right.T)[:, : old.shape[1]]
    turned = xp.sum(new * old, axis=0) < 0  # a decomposition leaves signs open, the rule's means are kept
    return xp.where(turned, -new, new)


@dataclass(frozen=True)
class GaLore:
    """GaLore: any rule, on a gradient projected to its few strongest directions, so that its state is small.

    p      = the first `rank` singular vectors of g on its smaller side; new ones after every `every` steps
    small  = p^T g where rows < cols, else g p          step = what the rule makes of it, from a matrix of 0
    theta <- (1 - lr weight_decay) (theta + scale p step),      else scale step p^T

    A rank beyond the smaller side is that side. The rule keeps its state when p changes. It does not see theta
    (LAMB finds a norm of 0), so the decay is GaLore's own; `lr` is the rule's. theta, g: a matrix (rows, cols), not
    empty. Raises ValueError on a rule that decays, on rank or every < 1, on other shapes; else as in the rule.
    PyTorch: none. galore_torch's GaLoreAdamW(rank, update_proj_gap=every, scale, proj_type="std"); where p is renewed
    we choose its signs by the old one, and they take what the decomposition gives.
    Source: Zhao et al. 2024 (arXiv 2403.03507), and that package.
    """

    elementwise: ClassVar[bool] = False
    rule: Rule
    rank: int = 128
    every: int = 200
    scale: float = 0.25
    weight_decay: float = 0.0

    def __post_init__(self):
        a_rule(rule=self.rule)
        if getattr(self.rule, "weight_decay", 0):
            raise ValueError(f"rule={self.rule!r} is not allowed; its decay would see 0: give weight_decay to GaLore")
        whole(least=1, rank=self.rank, every=self.every)
        at_least_0(scale=self.scale, weight_decay=self.weight_decay)

    @property
    def lr(self):
        return self.rule.lr

    def init(self, theta) -> GaLoreState:
        check_matrix(theta=theta)
        zeros, (rows, cols) = zeros_for(theta), theta.shape
        rank = min(self.rank, rows, cols)
        p, small = (zeros[:, :rank], zeros[:rank, :]) if rows < cols else (zeros[:cols, :rank], zeros[:, :rank])
        return GaLoreState(t=0, p=p, inner=self.rule.init(small))

    @in_theta_dtype
    def update(self, theta, g, state):
        wide = g.shape[0] < g.shape[1]
        p = state.p if state.t % self.every else _top_directions(g, state.p)
        small = p.T @ g if wide else g @ p
        step, inner = self.rule.update(0 * small, small, state.inner)
        back = p @ step if wide else step @ p.T
        theta = (1 - self.lr * self.weight_decay) * (theta + self.scale * back)
        return theta, GaLoreState(state.t + 1, p, inner)
