import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core import array_namespace, is_half
from ..core.options import fraction, number, positive, whole
from ._gradients import named, of_each
from .clip import global_norm

SMALLEST, LARGEST = 2.0**-126, 2.0**127  # of the powers of 2 that float32 holds in full


class ScaleState(NamedTuple):
    scale: float
    good: int


@dataclass(frozen=True)
class LossScale:
    """Dynamic loss scaling: the largest scale at which float16 gradients do not overflow, found while training.

    The loss is multiplied by the scale s before the gradient is taken, so that small gradients do not become 0.

    g finite:      use g / s;         s <- growth s after `interval` such steps in a row
    g inf or NaN:  skip the step;     s <- backoff s

    update(g, state) returns g / s, or None where the step must be skipped, and the next state. g: a float array, or
    a list or dict of them. Half precision comes back as float32: rounded again, g / s would lose what s had saved.
    s stays within 2^-126..2^127, and where s < 1 makes g / s overflow the step is skipped as well (PyTorch: s falls
    to 0, and g / s is inf). Raises ValueError on a start outside these, growth <= 1, backoff outside (0, 1),
    interval < 1 and a state whose scale is not within them.
    PyTorch: torch.amp.GradScaler(device, init_scale=start, growth_factor, backoff_factor, growth_interval=interval),
    which refuses float16 gradients and takes the inf of each optimizer by itself.
    Source: Micikevicius et al. 2018, section 3.2; growth and backoff are PyTorch's.
    """

    start: float = 2.0**16
    growth: float = 2.0
    backoff: float = 0.5
    interval: int = 2000

    def __post_init__(self):
        _scale(start=self.start)
        positive(growth=self.growth, backoff=self.backoff)
        fraction(backoff=self.backoff)
        whole(interval=self.interval, least=1)
        if not self.growth > 1:
            raise ValueError(f"growth={self.growth} is not allowed; it must be > 1")

    def init(self) -> ScaleState:
        return ScaleState(self.start, 0)

    def update(self, g, state: ScaleState) -> tuple[Any, ScaleState]:
        if not isinstance(state, ScaleState):
            raise TypeError(f"state must be what LossScale().init() returns, got a {type(state).__name__}")
        _scale(**{"state.scale": state.scale})
        whole(**{"state.good": state.good})
        named(g)
        unscaled = of_each(lambda a: _wide(a) / state.scale, g)
        if not math.isfinite(global_norm(unscaled, math.inf)):
            return None, ScaleState(max(state.scale * self.backoff, SMALLEST), 0)
        after = ScaleState(state.scale, state.good + 1)
        if after.good >= self.interval:
            after = ScaleState(min(state.scale * self.growth, LARGEST), 0)
        return unscaled, after


def _scale(**scale) -> None:
    number(**scale)
    for name, s in scale.items():
        if not SMALLEST <= s <= LARGEST:
            raise ValueError(f"{name}={s} is not allowed; it must be > 0, within 2^-126..2^127")


def _wide(a):
    xp = array_namespace(a)
    return xp.astype(a, xp.float32) if is_half(a) else a
