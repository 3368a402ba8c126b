from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core.options import whole
from ..core.rule import in_theta_dtype
from ._wrapper import a_rule
from .quantize import dequantize, quantize


class EightBitState(NamedTuple):
    t: int
    inner: Any


@dataclass(frozen=True)
class EightBit:
    """A rule that keeps its running means in 8 bits: a quarter of the memory of float32.

    state <- dequantize(state),   theta, state <- rule.update(theta, g, state),   state <- quantize(state)

    Within a step all is computed in theta's precision. Of the rule's state, the arrays named in `signed` and in
    `unsigned` (numbers >= 0, as mean squares) are kept so, where the rule has them; weights, as Lookahead's slow ones,
    are not to be named: Lookahead(EightBit(Adam())). `lr` is the rule's. A mean that changes by less
    than half a gap of the map in a step stands still. A block is shared by its numbers: a NaN spoils it. Raises
    TypeError on what is no rule or no name; other errors as in the rule.
    PyTorch: none; bitsandbytes.optim.Adam8bit, which leaves arrays below 4096 numbers in 32 bits.
    Source: Dettmers et al. 2022.
    """

    rule: Any
    block: int = 256
    signed: tuple[str, ...] = ("m", "u")
    unsigned: tuple[str, ...] = ("v",)

    def __post_init__(self):
        a_rule(rule=self.rule)
        whole(least=1, block=self.block)
        for kind in ("signed", "unsigned"):
            names = getattr(self, kind)
            if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
                raise TypeError(f"{kind}={names!r} is not allowed; it must be a tuple of names, as ('m',)")

    @property
    def lr(self):
        return self.rule.lr

    def _of_each(self, state, fn):
        """The rule's state with fn(array, signed) in place of what is kept in 8 bits."""
        names = {**dict.fromkeys(self.unsigned, False), **dict.fromkeys(self.signed, True)}
        return state._replace(**{n: fn(getattr(state, n), s) for n, s in names.items() if n in state._fields})

    def init(self, theta) -> EightBitState:
        inner = self.rule.init(theta)
        return EightBitState(t=0, inner=self._of_each(inner, lambda a, signed: quantize(a, signed, self.block)))

    @in_theta_dtype
    def update(self, theta, g, state):
        inner = self._of_each(state.inner, lambda q, signed: dequantize(q.codes, q.scale, signed, self.block))
        theta, inner = self.rule.update(theta, g, inner)
        inner = self._of_each(inner, lambda a, signed: quantize(a, signed, self.block))
        return theta, EightBitState(state.t + 1, inner)
