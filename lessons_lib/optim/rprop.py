from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, number
from ..core.rule import in_theta_dtype


class RpropState(NamedTuple):
    t: int
    g: Any
    step: Any


@dataclass(frozen=True)
class Rprop:
    """Rprop: only the sign of the gradient counts; a step grows while the sign holds, shrinks when it turns.

    step  <- eta_plus step    where g has the sign of the gradient before, kept within [step_min, step_max]
             eta_minus step   where the sign turned; there g <- 0: no move now, no verdict next time
    theta <- theta - sign(g) step

    lr is the first step, nothing else: a schedule does not reach it. For gradients of the whole data set, since noise
    turns signs. theta, g: any shape, the same. Raises ValueError on a negative or NaN lr, on bounds that
    are not 0 <= step_min <= step_max, unless 0 < eta_minus < 1 < eta_plus, and on other shapes.
    The signs are compared, not multiplied gradients, whose product may underflow (PyTorch: then a 0, which
    changes no step). A NaN gradient makes its number NaN for good (PyTorch takes its sign as 0).
    PyTorch: torch.optim.Rprop(lr, etas=(eta_minus, eta_plus), step_sizes=(step_min, step_max)).
    Source: Riedmiller and Braun 1993; without their step back (iRprop-, Igel and Hüsken 2000).
    """

    elementwise: ClassVar[bool] = True
    lr: float = 1e-2
    eta_minus: float = 0.5
    eta_plus: float = 1.2
    step_min: float = 1e-6
    step_max: float = 50.0

    def __post_init__(self):
        at_least_0(lr=self.lr, step_min=self.step_min, step_max=self.step_max, eta_plus=self.eta_plus)
        number(eta_minus=self.eta_minus)
        if not 0 < self.eta_minus < 1 < self.eta_plus:
            raise ValueError(f"eta_minus={self.eta_minus}, eta_plus={self.eta_plus}: need 0 < eta_minus < 1 < eta_plus")
        if self.step_min > self.step_max:
            raise ValueError(f"step_min={self.step_min} must not be above step_max={self.step_max}")

    def init(self, theta) -> RpropState:
        return RpropState(t=0, g=zeros_for(theta), step=zeros_for(theta) + self.lr)

    @in_theta_dtype
    def update(self, theta, g, state):
        xp = array_namespace(theta)
        turn = xp.sign(g) * xp.sign(state.g)
        shrunk = xp.where(turn < 0, self.eta_minus * state.step, state.step)
        step = xp.where(turn > 0, self.eta_plus * state.step, shrunk)
        step = xp.clip(step, self.step_min, min(self.step_max, xp.finfo(step.dtype).max))
        g = xp.where(turn < 0, xp.zeros_like(g), g)
        return theta - xp.sign(g) * step, RpropState(state.t + 1, g, step)
