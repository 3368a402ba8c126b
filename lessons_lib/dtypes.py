"""In which type a loss computes, and in which its result comes back."""

from __future__ import annotations

from contextlib import nullcontext
from functools import wraps
from typing import Any

from array_api_compat import array_namespace, is_torch_namespace


def in_first_dtype(fn):
    """Compute in the widest floating type given, at least float32, and round the result once: to the first one's type.

    So a half-precision sum is a float32 sum, and a float16 mask beside float32 numbers rounds nothing.
    """

    @wraps(fn)
    def wide(*args, **kwargs):
        arrays = [a for a in _leaves((*args, *kwargs.values())) if is_floating(a)]
        if not arrays:
            return fn(*args, **kwargs)
        first, xp = arrays[0], namespace(arrays[0])
        dtype = wide_dtype(*arrays)
        if any(a.dtype != dtype for a in arrays):
            args, kwargs = _map(lambda a: xp.astype(a, dtype) if is_floating(a) else a, (args, kwargs))
        with outside_autocast(first):
            out = fn(*args, **kwargs)
        return out if first.dtype == dtype else _map(lambda a: xp.astype(a, first.dtype), out)

    return wide


def wide_dtype(*arrays):
    """The widest type among floating point arrays, and at least float32."""
    if all(a.dtype == arrays[0].dtype for a in arrays) and "float16" not in str(arrays[0].dtype):
        return arrays[0].dtype
    xp = namespace(arrays[0])
    return max((xp.float32, *(a.dtype for a in arrays)), key=lambda dtype: xp.finfo(dtype).bits)


def outside_autocast(a):
    """A context in which torch keeps to the types it is given: autocast would multiply matrices in 16 bits."""
    xp = namespace(a)
    if is_torch_namespace(xp) and xp.is_autocast_enabled(a.device.type):
        return xp.autocast(a.device.type, enabled=False)
    return nullcontext()


SPACES: dict[type, Any] = {}


def namespace(a):
    """array_namespace(a), looked up once for each type of array: this runs several times in every training step."""
    if type(a) not in SPACES:
        SPACES[type(a)] = array_namespace(a)
    return SPACES[type(a)]


def is_floating(a) -> bool:
    """True for an array of real floating point numbers; every library calls them float16, bfloat16, float32, ..."""
    return "float" in str(getattr(a, "dtype", ""))


def _leaves(x):
    return [leaf for part in x for leaf in _leaves(part)] if isinstance(x, tuple) else [x]


def _map(fn, x):
    if isinstance(x, dict):
        return {name: _map(fn, part) for name, part in x.items()}
    if isinstance(x, tuple):
        parts = [_map(fn, part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    return fn(x)
