"""Checks of options, each by its name: a number that lies where it may, a whole number, a flag, a choice, a function.

A number is an int, a float, NumPy's of these, or a tensor without axes; a bool, a string or a list is none.
"""

import math
import reprlib
import sys
from collections.abc import Sequence
from operator import index

from array_api_compat import array_namespace, is_array_api_obj

LARGEST = sys.float_info.max


def _refuse(error, name, x, wanted):
    raise error(f"{name}={x if isinstance(x, float) else reprlib.repr(x)} is not allowed; it must be {wanted}")


def is_number(x) -> bool:
    if isinstance(x, (int, float)):
        return not isinstance(x, bool)
    if not is_array_api_obj(x) or x.shape != () or type(x).__name__ == "ndarray":  # that one meets no tensor
        return False
    return array_namespace(x).isdtype(x.dtype, ("integral", "real floating"))


def _within(numbers, holds, wanted):
    for name, x in numbers.items():
        if not is_number(x):
            _refuse(TypeError, name, x, wanted)
        if not holds(x) or LARGEST < abs(x) < math.inf:  # an int beyond all floats
            _refuse(ValueError, name, x, wanted)


def number(**numbers) -> None:
    """Raise unless every number is one, NaN and inf included."""
    _within(numbers, lambda x: True, "a number")


def at_least_0(**numbers) -> None:
    """Raise unless every number is finite and >= 0."""
    _within(numbers, lambda x: 0 <= x <= LARGEST, "a finite number >= 0")


def limit_at_least_0(**numbers) -> None:
    """Raise unless every number is >= 0; inf is no limit."""
    _within(numbers, lambda x: x >= 0, "a number >= 0")


def positive(**numbers) -> None:
    """Raise unless every number is finite and > 0."""
    _within(numbers, lambda x: 0 < x <= LARGEST, "a finite number > 0")


def finite(**numbers) -> None:
    """Raise unless every number is finite."""
    _within(numbers, lambda x: -LARGEST <= x <= LARGEST, "a finite number")


def fraction(**numbers) -> None:
    """Raise unless every number lies in [0, 1)."""
    _within(numbers, lambda x: 0 <= x < 1, "a number in [0, 1)")


def whole(least=0, most=2**53, **numbers) -> None:
    """Raise unless every number is an integer in least..most."""
    for name, x in numbers.items():
        wanted = f"an integer >= {least}" if most == 2**53 else f"an integer in {least}..{most}"
        try:
            i = index(x)
        except TypeError:
            i = None
        if i is None or isinstance(x, bool):
            _refuse(ValueError if is_number(x) else TypeError, name, x, wanted)
        if not least <= i <= most:
            _refuse(ValueError, name, x, wanted)


def flag(**flags) -> None:
    """Raise unless every one is True or False."""
    for name, x in flags.items():
        if not isinstance(x, bool):
            _refuse(TypeError, name, x, "True or False")


def function(**functions) -> None:
    """Raise unless every one can be called."""
    for name, x in functions.items():
        if not callable(x):
            _refuse(TypeError, name, x, "a function")


def _each(name, xs) -> dict:
    if isinstance(xs, (str, bytes)) or not (isinstance(xs, Sequence) or getattr(xs, "ndim", 0) == 1):
        _refuse(TypeError, name, xs, "a list")
    return {f"{name}[{i}]": x for i, x in enumerate(xs)}


def numbers(**lists) -> None:
    """Raise unless every one is a list of numbers, NaN and inf included."""
    for name, xs in lists.items():
        number(**_each(name, xs))


def functions(**lists) -> None:
    """Raise unless every one is a list of functions."""
    for name, xs in lists.items():
        function(**_each(name, xs))


def one_of(allowed, **choices) -> None:
    """Raise unless every choice is among the allowed names."""
    for name, x in choices.items():
        if not isinstance(x, str):
            _refuse(TypeError, name, x, f"one of {sorted(allowed)}")
        if x not in allowed:
            raise ValueError(f"{name}={x!r} is unknown; use one of {sorted(allowed)}")
