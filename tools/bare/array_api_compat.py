"""A stand-in for array_api_compat on GPU machines without it and without network; used by `make gpu-record` only.

NumPy follows the array API standard by itself. For torch, only what lessons_lib calls and torch spells differently.
"""

import numpy
import torch


class _Torch:
    def __getattr__(self, name):
        return getattr(torch, name)

    def isdtype(self, dtype, kind):
        if kind == "integral":
            return not (dtype.is_floating_point or dtype.is_complex or dtype is torch.bool)
        return dtype.is_floating_point  # "real floating", the only other kind in use

    def astype(self, a, dtype):
        return a.to(dtype)

    def max(self, a, axis=None, keepdims=False):
        return torch.amax(a, dim=() if axis is None else axis, keepdim=keepdims)

    def take_along_axis(self, a, indices, axis):
        return torch.take_along_dim(a, indices, dim=axis)


_torch = _Torch()


def array_namespace(*arrays):
    for a in arrays:
        if torch.is_tensor(a):
            return _torch
        if isinstance(a, numpy.ndarray | numpy.generic):
            return numpy
        if hasattr(a, "__array_namespace__"):
            return a.__array_namespace__()
        if a is not None and not isinstance(a, int | float):
            raise TypeError(f"{type(a).__name__} is not a supported array type")
    raise TypeError("no array was given")


def device(a):
    return a.device
