import math
from typing import Any

from ..core import array_namespace, is_half
from ..core.options import limit_at_least_0, number
from ._gradients import named, of_each


def _map(fn, g) -> Any:
    """fn of each array, computed in float32 where it has half precision, in the arrangement of g."""

    def wide(a):
        xp = array_namespace(a)
        return xp.astype(fn(xp, xp.astype(a, xp.float32) if is_half(a) else a), a.dtype)

    return of_each(wide, g)


def clip_by_value(g, limit):
    """Each number of the gradient moved into [-limit, limit]. This can turn the direction.

    g: an array, or a list or dict of arrays; the result is arranged like it. inf becomes limit, NaN stays NaN.
    A limit of inf clips nothing. Raises ValueError on a negative or NaN limit, TypeError on integer arrays.
    PyTorch: clip_grad_value_(parameters, clip_value=limit).   Source: Mikolov 2012.
    """
    limit_at_least_0(limit=limit)
    named(g)

    def clip(xp, a):
        top = float(limit) if limit <= xp.finfo(a.dtype).max else math.inf  # torch refuses a bound beyond its dtype
        return xp.clip(a, -top, top)

    return _map(clip, g)


def global_norm(g, norm_type=2.0) -> float:
    """(sum |g|^p)^(1/p) over all numbers of all arrays, p = norm_type >= 1 or inf (the largest |g|); 0 for none.

    The largest number is taken out first, so that no square overflows or underflows; inf or NaN in g give inf or NaN.
    PyTorch: get_total_norm(tensors, norm_type), which overflows where a square does.
    """
    number(norm_type=norm_type)
    if not norm_type >= 1:
        raise ValueError(f"norm_type={norm_type} is not allowed; it must be >= 1, or inf")
    sizes = []
    for a in named(g).values():
        xp = array_namespace(a)
        if math.prod(a.shape):
            sizes.append((xp, xp.abs(xp.astype(a, xp.float32) if is_half(a) else a)))
    tops = [float(xp.max(a)) for xp, a in sizes]
    top = max(tops, key=lambda x: (x != x, x), default=0.0)  # a NaN counts as the largest
    norm_type = float(norm_type)
    if norm_type == math.inf or not 0 < top < math.inf:
        return top
    return top * sum(float(xp.sum((a / top) ** norm_type)) for xp, a in sizes) ** (1 / norm_type)


def clip_by_norm(g, limit, norm_type=2.0):
    """The whole gradient shortened to norm `limit` where it is longer. Its direction stays.

    g min(1, limit / (||g|| + 1e-6)),      ||g|| = global_norm(g, norm_type), over all arrays together

    The 1e-6 is PyTorch's: a gradient of norm `limit` shrinks by that much. g: as in clip_by_value.
    A limit of inf shortens nothing. Raises ValueError on a negative or NaN limit, on norm_type < 1, and where the
    norm is inf or NaN: there is no direction to keep (PyTorch: inf becomes NaN and the rest 0, or everything NaN).
    PyTorch: clip_grad_norm_(parameters, max_norm=limit, norm_type, error_if_nonfinite=True).
    Source: Pascanu, Mikolov and Bengio 2013, Algorithm 1.
    """
    limit_at_least_0(limit=limit)
    norm = global_norm(g, norm_type)
    if not math.isfinite(norm):
        raise ValueError(f"g has the norm {norm}; it must be finite: skip this step or look for its cause")
    scale = min(1.0, float(limit) / (norm + 1e-6))
    return _map(lambda xp, a: a * scale, g)
