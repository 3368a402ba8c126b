import reprlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core import array_namespace
from ..core.rule import in_theta_dtype
from ._wrapper import a_rule, is_rule


class ChainState(NamedTuple):
    t: int
    parts: tuple
    last: Any


@dataclass(frozen=True)
class Chain:
    """Optimizers as compositions: each part turns the gradient into a direction, and the last rule walks along it.

    g <- 0 - part.update(0, g)      for each part, a rule with lr = 1 (or g <- part(g), where it is a function)
    theta <- rule.update(theta, g)

    Chain((Momentum(lr=1.0),), SGD(0.1)) is Momentum(0.1); (Momentum(lr=1.0), newton_schulz) before SGD is Muon. A part
    sees theta = 0, so only the last rule's weight_decay acts: on theta alone and times lr, decoupled, if it is SGD.
    `lr` is the last rule's. The state of a part that is a function is (). Raises TypeError on what is no rule or
    function, ValueError on a part whose lr is not 1; other errors as the rules say.
    PyTorch: none; optax calls it chain.
    """

    before: tuple
    rule: Any

    def __post_init__(self):
        if not isinstance(self.before, (tuple, list)):
            raise TypeError(f"before={reprlib.repr(self.before)} is not allowed; it must be a tuple of rules")
        for i, part in enumerate(self.before):
            if not callable(part):
                a_rule(**{f"before[{i}]": part})
            if getattr(part, "lr", 1) != 1:
                raise ValueError(f"before[{i}].lr={part.lr} is not allowed; it must be 1: only the last rule's counts")
        a_rule(rule=self.rule)

    @property
    def lr(self):
        return self.rule.lr

    @property
    def elementwise(self) -> bool:
        return all(getattr(part, "elementwise", False) for part in (*self.before, self.rule))

    def init(self, theta) -> ChainState:
        parts = tuple(part.init(theta) if is_rule(part) else () for part in self.before)
        return ChainState(t=0, parts=parts, last=self.rule.init(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        zero = array_namespace(theta).zeros_like(theta)
        parts: tuple = ()
        for part, kept in zip(self.before, state.parts, strict=True):
            moved, kept = part.update(zero, g, kept) if is_rule(part) else (-part(g), kept)
            g, parts = -moved, (*parts, kept)
        theta, last = self.rule.update(theta, g, state.last)
        return theta, ChainState(state.t + 1, parts, last)
