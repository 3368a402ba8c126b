import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core import array_namespace, at_least_0, fraction, is_half
from ._gradients import of_each
from .clip import global_norm

LARGEST = 2.0**127  # of the powers of 2 in float32


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
    Raises ValueError on a start that is not finite and > 0, growth <= 1, backoff outside (0, 1), interval < 1.
    PyTorch: torch.amp.GradScaler(device, init_scale=start, growth_factor, backoff_factor, growth_interval=interval),
    which refuses float16 gradients and takes the inf of each optimizer by itself.
    Source: Micikevicius et al. 2018, section 3.2.
    """

    start: float = 2.0**16
    growth: float = 2.0
    backoff: float = 0.5
    interval: int = 2000

    def __post_init__(self):
        at_least_0(start=self.start, growth=self.growth)
        fraction(backoff=self.backoff)
        for name, least in (("start", 0), ("growth", 1), ("backoff", 0), ("interval", 0)):
            if not getattr(self, name) > least:
                raise ValueError(f"{name}={getattr(self, name)} is not allowed; it must be > {least}")

    def init(self) -> ScaleState:
        return ScaleState(self.start, 0)

    def update(self, g, state: ScaleState) -> tuple[Any, ScaleState]:
        if not math.isfinite(global_norm(g, math.inf)):
            return None, ScaleState(state.scale * self.backoff, 0)
        after = ScaleState(state.scale, state.good + 1)
        if after.good >= self.interval:
            after = ScaleState(min(state.scale * self.growth, LARGEST), 0)
        return of_each(lambda a: _wide(a) / state.scale, g), after


def _wide(a):
    xp = array_namespace(a)
    return xp.astype(a, xp.float32) if is_half(a) else a
