"""The array libraries that every loss and every rule must run on, the way in and out of each, and equality."""

import numpy as np
import pytest
import torch


def _read_only(a):
    a = np.array(a)
    a.flags.writeable = False
    return a


def _strict(a):
    strict = pytest.importorskip("array_api_strict")
    return strict.asarray(a)


def _cuda(a):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return torch.as_tensor(a, device="cuda")


INTO = {"numpy": np.array, "read-only": _read_only, "strict": _strict, "torch": torch.as_tensor, "cuda": _cuda}


def back(a) -> np.ndarray:
    """Any of these arrays as NumPy."""
    return (
        a.detach().cpu().numpy()
        if torch.is_tensor(a)
        else np.from_dlpack(a)
        if hasattr(a, "__dlpack__")
        else np.asarray(a)
    )


def assert_near(a, b, rtol=1e-12, atol=1e-14):
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
