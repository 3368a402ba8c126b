import math
import reprlib
from functools import partial
from typing import Any, NamedTuple

from array_api_compat import is_array_api_obj

from ..core import Loss, array_namespace, contract, flag, function, number, real
from ._stable import positive_part


class TripletGrad(NamedTuple):
    anchor: Any
    positive: Any
    negative: Any


@contract(
    anchor=real("..., D"),
    positive=real("..., D"),
    negative=real("..., D"),
    margin=number("[0, inf)"),
    p=number("[1, inf]"),
    eps=number("[0, inf)"),
    swap=flag,
)
def triplet(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False) -> Loss:
    """Triplet loss: each anchor is nearer to its positive than to its negative, by a margin.

    `triplet_with_distance` at the distance d(a, b) = (sum_i |r_i|^p)^(1/p), r = a - b + eps
    d's gradient in a = sign(r) (|r| / d)^(p-1), and 0 at d = 0;  in b: minus that

    eps is added to the difference, so d(a, a) = eps D^(1/p), and d(a, b) is not quite d(b, a).
    p: a number >= 1, or inf for max_i |r_i|, whose gradient the largest share evenly where they tie.
    Raises ValueError on another p or eps < 0; the rest as in `triplet_with_distance`.
    PyTorch: F.triplet_margin_loss(anchor, positive, negative, margin=..., p=..., eps=..., swap=...,
    reduction="none").
    Source: Schroff, Kalenichenko and Philbin 2015 (with squared distances); swap: Balntas et al. 2016.
    """
    xp = array_namespace(anchor, positive, negative)
    unit = _unit(xp, anchor, positive, negative)
    distance = partial(_distance, p=p, eps=eps / unit)
    loss = _compare(distance, anchor / unit, positive / unit, negative / unit, margin / unit[..., 0], swap)
    return Loss(loss.value * unit[..., 0], loss.grad)


@contract(
    anchor=real("..., D"),
    positive=real("..., D"),
    negative=real("..., D"),
    distance=function,
    margin=number("[0, inf)"),
    swap=flag,
)
def triplet_with_distance(anchor, positive, negative, distance, margin=1.0, swap=False) -> Loss:
    """Triplet loss with a distance of your own: distance(a, b) -> Loss(value, (gradient in a, gradient in b)).

    value = max(0, margin + d(a, p) - d(a, n))        a, p, n = anchor, positive, negative
    grad.anchor = d_a(a, p) - d_a(a, n),  grad.positive = d_b(a, p),  grad.negative = -d_b(a, n)
    where value > 0, else 0;  at the kink, where the margin is just met: 0

    swap: d(p, n) stands in for d(a, n) where it is smaller; at a tie d(a, n) stays, in value and gradient.
    anchor, positive, negative: (..., D); value: (...), in units of the distance.
    Raises TypeError on integer arrays or what is no such function, ValueError on other shapes or margin < 0.
    PyTorch: F.triplet_margin_with_distance_loss(anchor, positive, negative, distance_function=..., margin=...,
    swap=..., reduction="none"), which wants margin > 0; at the kink 2.13 gives the gradient of the open
    margin, and at a tie under swap both distances get half.
    """
    return _compare(distance, anchor, positive, negative, margin, swap)


def _compare(distance, anchor, positive, negative, margin, swap) -> Loss:
    xp = array_namespace(anchor, positive, negative)
    near, far = distance(anchor, positive), distance(anchor, negative)
    _check(near, anchor)
    other = distance(positive, negative) if swap else far
    closer = other.value < far.value
    value, step = positive_part(margin + (near.value - xp.where(closer, other.value, far.value)))
    step, closer, zero = step[..., None], closer[..., None], xp.zeros_like(anchor)
    grad = TripletGrad(
        anchor=step * (near.grad[0] - xp.where(closer, zero, far.grad[0])),
        positive=step * (near.grad[1] - xp.where(closer, other.grad[0], zero)),
        negative=-step * xp.where(closer, other.grad[1], far.grad[1]),
    )
    return Loss(value, grad)


def _check(found, anchor) -> None:
    wanted = [tuple(anchor.shape[:-1]), tuple(anchor.shape), tuple(anchor.shape)]
    parts = (found.value, *found.grad) if isinstance(found, Loss) and isinstance(found.grad, tuple) else ()
    got = [tuple(a.shape) for a in parts if is_array_api_obj(a) and array_namespace(a) is array_namespace(anchor)]
    if got != wanted:
        error = ValueError if len(got) == len(parts) == len(wanted) else TypeError
        raise error(
            f"distance must give Loss(value, (gradient in a, gradient in b)) in the library of anchor and shaped "
            f"{wanted}, got {reprlib.repr(found)} shaped {got}"
        )


def _unit(xp, *vectors):
    """1, or where numbers are so large that a distance would be inf, a power of two to divide them by."""
    room = 2.0 ** math.ceil(math.log2(4 * vectors[0].shape[-1]))
    largest = xp.max(xp.stack([xp.abs(a) for a in vectors]), axis=0)
    largest = xp.max(largest, axis=-1, keepdims=True)
    return xp.where(largest > xp.finfo(largest.dtype).max / room, room * xp.ones_like(largest), 1.0)


def _distance(a, b, p, eps) -> Loss:
    xp = array_namespace(a, b)
    r = a - b + eps
    size = xp.abs(r)
    d = xp.max(size, axis=-1, keepdims=True)
    if p == math.inf:
        top = xp.astype(size == d, r.dtype)
        slope = top / xp.sum(top, axis=-1, keepdims=True)
    else:
        ratio = size / xp.where(d > 0, d, xp.ones_like(d))  # at most 1: no power of it overflows
        norm = xp.sum(ratio**p, axis=-1, keepdims=True) ** (1 / p)
        d, slope = d * norm, (ratio / xp.where(norm > 0, norm, xp.ones_like(norm))) ** (p - 1)
    grad = xp.sign(r) * slope
    return Loss(d[..., 0], (grad, -grad))
