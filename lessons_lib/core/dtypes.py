"""In which type a loss computes, and in which its result comes back."""

from __future__ import annotations

import re
from contextlib import nullcontext
from functools import lru_cache, wraps
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj, is_torch_namespace


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
            args, kwargs = map_arrays(lambda a: xp.astype(a, dtype) if is_floating(a) else a, (args, kwargs))
        with outside_autocast(first):
            out = fn(*args, **kwargs)
        return out if first.dtype == dtype else map_arrays(lambda a: xp.astype(a, first.dtype), out)

    return wide


def wide_dtype(*arrays):
    """The widest type among floating point arrays, and at least float32."""
    if all(a.dtype == arrays[0].dtype for a in arrays) and not is_called("float16", arrays[0].dtype):
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
    """array_namespace(a), None for what is no array; looked up once for each type: every training step asks often."""
    if type(a) not in SPACES:
        SPACES[type(a)] = array_namespace(a) if is_array_api_obj(a) else None
    return SPACES[type(a)]


@lru_cache(maxsize=None, typed=True)  # dtypes of two libraries may refuse to be compared
def is_called(pattern, dtype) -> bool:
    """True where a dtype's name contains the pattern; every library calls them float16, bfloat16, int8, ..."""
    return bool(re.search(pattern, str(dtype)))


def is_floating(a) -> bool:
    """True for an array of real floating point numbers."""
    return is_called("float", getattr(a, "dtype", ""))


def _leaves(x):
    return [leaf for part in x for leaf in _leaves(part)] if isinstance(x, tuple) else [x]


def map_arrays(fn, x):
    """A nest of dicts and tuples, NamedTuples among them, with fn of each of its leaves."""
    if isinstance(x, dict):
        return {name: map_arrays(fn, part) for name, part in x.items()}
    if isinstance(x, tuple):
        parts = [map_arrays(fn, part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    return fn(x)


def is_half(a) -> bool:
    """True for an array of float16 or bfloat16."""
    return is_called("float16", getattr(a, "dtype", ""))
