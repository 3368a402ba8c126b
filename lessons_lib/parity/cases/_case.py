"""What a case is, and what the families of cases share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ...core import Loss, array_namespace, mean, total

WEIGHTS = [0.5, 2.0, 1.0, 3.0, 0.25, 1.5]  # one per class or column, all exact in binary


@dataclass(frozen=True)
class LossCase:
    """ours and torch take what `draw` returns.

    inputs:  how many of these, from the first, are differentiated; above 1, ours.grad is a NamedTuple of as many
    far:     value and gradient stay finite for predictions of this size, in every dtype
    allowed: the largest relative difference from PyTorch, in units of the dtype's epsilon
    held:    the gradient holds a part of the value fixed (stop-gradient), so that it is not the value's slope
    """

    name: str
    option: str
    draw: Callable[[np.random.Generator], tuple]
    ours: Callable[..., Loss]
    torch: Callable[..., Any]
    inputs: int = 1
    far: float = 1e4
    allowed: float = 32
    held: bool = False


@dataclass(frozen=True)
class RuleCase:
    """ours is a rule, torch makes the counterpart from a list of parameters.

    sign:     -1 where PyTorch walks up instead of down
    allowed:  the largest relative difference after 50 steps, in units of the dtype's epsilon
    gradient: how PyTorch wants the gradient (a sparse one, say)
    since:    the first torch that has the option
    """

    name: str
    option: str
    ours: Any
    torch: Callable[[list], torch.optim.Optimizer] = field(repr=False)
    sign: int = 1
    allowed: float = 50
    gradient: Callable[[Any], Any] = field(default=lambda g: g, repr=False)
    since: tuple[int, int] = (2, 11)


@dataclass(frozen=True)
class HelperCase:
    """concept is the function under test; ours and torch take a dtype and a device and return all the numbers of a run.

    allowed, half_allowed: the largest relative difference, in units of the dtype's epsilon
    """

    concept: Callable
    option: str
    ours: Callable[..., torch.Tensor]
    torch: Callable[..., torch.Tensor] = field(repr=False)
    dtypes: tuple[str, ...] = ("float64",)
    allowed: float = 50
    half_allowed: float = 1

    @property
    def name(self) -> str:
        return self.concept.__name__


def option_case(name, option, draw, ours, theirs, inputs=1, far=1e4, allowed=32.0, **options):
    """The case of one option, which both sides call by the same name."""
    return LossCase(
        name,
        option,
        draw,
        lambda *a: ours(*a, **options),
        lambda *a: theirs(*a, **options, reduction="none"),
        inputs,
        far,
        allowed,
    )


def like(a, numbers):
    """`numbers` as an array of a's library, dtype and device."""
    xp = array_namespace(a)
    return xp.asarray(numbers, dtype=a.dtype, device=a.device)


def scaled(loss: Loss, w) -> Loss:
    return Loss(loss.value * w, loss.grad * w)


def reductions(name, draw, ours, theirs, **limits) -> list[LossCase]:
    """Three cases: reduction "none", "mean" and "sum"."""
    reduce = {"none": lambda loss: loss, "mean": mean, "sum": total}
    return [
        LossCase(
            name,
            f'reduction="{r}"',
            draw,
            lambda *a, f=f: f(ours(*a)),
            lambda *a, r=r: theirs(*a, reduction=r),
            **limits,
        )
        for r, f in reduce.items()
    ]


def rule(name, option, ours, torch_class, sign=1, allowed=50.0, **options) -> RuleCase:
    """The case of one rule against torch_class(params, **options)."""
    return RuleCase(name, option, ours, lambda params: torch_class(params, **options), sign, allowed)
