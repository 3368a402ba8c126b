"""Run an answer so that it cannot harm its check: arguments are copied, results made NumPy's, hangs ended."""

from __future__ import annotations

import copy
import ctypes
import dis
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


class Refused(Exception):
    """What came back cannot be compared; the message says why."""


class Unanswered(Exception):
    """The function still is the stub."""


class _Stopped(SystemExit):
    """Raised in an answer that takes too long. No `except Exception` catches it, and a thread ends on it silently."""


def _steps(function: Any) -> list[str]:
    return [step.opname for step in dis.get_instructions(function) if step.opname != "NOP"]


def _is_stub(function: Any) -> bool:
    return hasattr(function, "__code__") and _steps(function) == _steps(lambda: None)


def plain(result: Any) -> Any:
    """A copy as NumPy arrays and numbers, or lists and tuples of them; whatever else it holds stays as it is."""
    if isinstance(result, list | tuple):
        return (list if isinstance(result, list) else tuple)(map(plain, result))
    if hasattr(result, "detach"):
        result = result.detach().cpu()
        result = (result.float() if "bfloat16" in str(result.dtype) else result).numpy()
    if not isinstance(result, np.ndarray | np.generic | complex):
        return result
    if np.iscomplexobj(result):
        if np.any(np.imag(result) != 0):
            raise Refused("There is an imaginary part in the result.")
        result = np.real(result)
    return result.copy() if isinstance(result, np.ndarray) else result


@dataclass
class Call:
    """One call of an answer; the result is missing where it raised."""

    args: tuple
    kwargs: dict[str, Any]
    result: Any = None


class Attempt:
    """An answer that gets copies of its arguments, and whose results are plain, counted and never missing."""

    def __init__(self, answer: Any, returns: int):
        self.answer, self.returns = answer, returns
        self.calls: list[Call] = []
        self.single = False  # whether some result was in float32 or less
        self.split = False  # whether one array was taken for several results

    def __call__(self, *args, **kwargs):
        self.calls.append(Call(*copy.deepcopy((args, kwargs))))
        result = self.answer(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        if result is None or result is ...:
            if len(self.calls) > 1:
                raise Refused("For some inputs your function returns nothing.")
            raise Unanswered if _is_stub(self.answer) else Refused("Your function returns None: is a `return` missing?")
        self.calls[-1].result = result = plain(result)
        parts = result if isinstance(result, list | tuple) else [result]
        self.single |= any(str(getattr(part, "dtype", "")) in ("float32", "float16") for part in parts)
        if self.returns > 1:
            self.calls[-1].result = result = self._counted(result)
        return result

    def _counted(self, result: Any) -> tuple:
        one_array = isinstance(result, np.ndarray) and result.ndim > 0
        several = one_array or isinstance(result, list | tuple)
        if not several or len(result) != self.returns:
            came = "one array" if one_array else len(result) if several else 1
            raise Refused(f"{self.returns} results are wanted, {came} came.")
        self.split |= one_array
        return tuple(result)


def within(seconds: float, task: Callable[[], Any]) -> Any:
    """What the task gives. It runs in a thread of its own, so that this one goes on should it never end."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def work():
        try:
            results.append(task())
        except BaseException as error:
            errors.append(error)

    worker = threading.Thread(target=work, daemon=True)
    try:
        worker.start()
        end = time.monotonic() + seconds
        while worker.is_alive() and time.monotonic() < end:
            worker.join(0.05)  # no longer: between two waits an interrupt gets through on every system
        late = worker.is_alive()
    finally:
        _stop(worker)  # also where the learner interrupts the kernel
    if late:
        raise Refused(f"After {seconds:g} seconds your code was still running: what must end its loop?")
    if errors:
        raise errors[0]
    return results[0]


def _stop(worker: threading.Thread) -> None:
    for _ in range(20):  # a bare `except` in the answer may swallow some
        if not worker.is_alive():
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident or 0), ctypes.py_object(_Stopped))
        worker.join(0.05)
