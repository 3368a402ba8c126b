"""What first differs between two results, in words."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

OTHER_NUMBERS = "The numbers are not the right ones."


def difference(got: Any, wanted: Any, single: bool = False) -> str:
    """Empty where everything agrees. single: whether the numbers come from float32."""
    if isinstance(wanted, list | tuple):
        got = list(got) if isinstance(got, np.ndarray) and got.ndim else got
        if not isinstance(got, list | tuple) or len(got) != len(wanted):
            return f"{len(wanted)} results are wanted, {len(got) if isinstance(got, list | tuple) else 1} came."
        return next((told for g, w in zip(got, wanted, strict=True) if (told := difference(g, w, single))), "")
    try:
        a, b = np.asarray(got), np.asarray(wanted, dtype=float)
        if a.dtype.kind not in "biuf" and not all(isinstance(x, Real) for x in a.flat):
            raise TypeError
        a = a.astype(float)
    except Exception:  # whatever a learner hands over: a string, a ragged list, a function
        return f"A number or an array is wanted, {type(got).__name__} came."
    if a.shape != b.shape:
        return f"The shape {b.shape} is wanted, {a.shape} came."
    if np.any(np.isnan(a) & ~np.isnan(b)):
        return "There is a NaN in the result."
    with np.errstate(all="ignore"):
        single |= bool(np.any(a % 1)) and np.array_equal(a, a.astype(np.float32), equal_nan=True)
    return "" if near(a, b, single).all() else OTHER_NUMBERS


def near(a: np.ndarray, b: np.ndarray, single: bool = False) -> np.ndarray:
    """Where two arrays agree. single: as nearly as float32 can."""
    rtol, atol = (1e-4, 1e-6) if single else (1e-6, 1e-9)  # float32 is what torch.tensor makes of a list
    with np.errstate(all="ignore"):
        return np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
