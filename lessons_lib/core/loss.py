"""A loss and the averages over a batch."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .contracts import contract
from .dtypes import is_floating, map_arrays
from .kinds import FLOAT, Array, Range


class Loss(NamedTuple):
    """A loss with its closed-form gradient, per example.

    value: one number per example
    grad:  d(sum of value)/d(prediction), shaped like the prediction; with several differentiable
           inputs a NamedTuple of such arrays, in argument order
    """

    value: Any
    grad: Any


def _a_loss(name, x, call):
    """What a loss returned; its value is what weights must fit, and the first axes of a gradient are the value's."""
    if not isinstance(x, Loss):
        raise TypeError(f"{name} must be a Loss(value, grad), got {type(x).__name__}")
    parts = {"value": [x.value], "grad": x.grad if isinstance(x.grad, tuple) else [x.grad]}
    for part, a in ((part, a) for part, arrays in parts.items() for a in arrays):
        call.array(part, a, "a floating point array")
        if not is_floating(a):
            raise TypeError(f"{part} must be a floating point array, got dtype {a.dtype}")
        if tuple(a.shape[: x.value.ndim]) != tuple(x.value.shape):
            raise ValueError(f"grad must begin with the axes of value, {tuple(x.value.shape)}, got {tuple(a.shape)}")
    call.fit("value", x.value, "...")
    return x


@contract(loss=_a_loss)
def total(loss: Loss) -> Loss:
    """The sum over the batch, with its gradient. PyTorch: reduction="sum"."""
    return Loss(array_namespace(loss.value).sum(loss.value), loss.grad)


@contract(loss=_a_loss)
def mean(loss: Loss) -> Loss:
    """The mean over every number in `loss.value`, with its gradient; 0 for an empty batch.

    PyTorch: reduction="mean", which gives NaN for an empty batch.
    """
    n = max(math.prod(loss.value.shape), 1)
    more = 2.0 ** n.bit_length()  # a power of two: dividing by it rounds nothing, and no sum of values overflows
    value = array_namespace(loss.value).sum(loss.value / more) / (n / more)
    return Loss(value, map_arrays(lambda a: a / n, loss.grad))


WEIGHTS = Array("...", rf"{FLOAT}|int|bool", Range("[0, inf)"))


@contract(loss=_a_loss, w=WEIGHTS)
def weighted_mean(loss: Loss, w) -> Loss:
    """sum(w * value) / sum(w), with its gradient; `w` holds one finite weight >= 0 per value.

    Masks, ignored tokens and class weights are all this. A weight of 0 removes an example, even one
    whose loss is inf or NaN. With no weight left, value and gradient are 0: nothing to learn from.
    Raises ValueError on another shape, a negative, infinite or NaN weight.
    PyTorch: `cross_entropy(weight=..., ignore_index=...)`, which gives NaN when nothing is left.
    """
    xp = array_namespace(loss.value)
    share = _shares(xp, w)

    def weigh(a):
        each = xp.reshape(share, share.shape + (1,) * (a.ndim - share.ndim))
        return each * xp.where(each > 0, a, xp.zeros_like(a))  # 0 * inf is NaN, and must be 0

    return total(map_arrays(weigh, loss))


def _shares(xp, w):
    """w / sum(w), or 0 where nothing is left; divided first by a power of two, so that large weights have a sum."""
    if 0 in w.shape:
        return w
    top = xp.max(w)
    w = w / 2.0 ** xp.floor(xp.log2(xp.maximum(top, xp.ones_like(top))))
    n = xp.sum(w)
    return w / xp.where(n > 0, n, xp.ones_like(n))
