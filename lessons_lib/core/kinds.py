"""The kinds of arguments that a contract is made of: arrays, numbers, and other options."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from array_api_compat import is_array_api_obj

from .contracts import Call, Range
from .dtypes import is_called, is_floating, wide_dtype

FLOAT = r"float\d\d"  # float16, bfloat16, float32, ...; nothing computes with float8
IGNORE = "to ignore some, weigh them 0 in weighted_mean"


@dataclass(frozen=True)
class Array:
    """An array argument; integers reach the formula as int64, whatever they came as."""

    shape: str
    numbers: str = FLOAT  # what the name of a dtype must contain
    within: Range | None = None
    nan: bool = False
    hint: str = ""  # where the numbers are out of range
    instead: str = ""  # where they are of another type

    def __call__(self, name, x, call):
        wanted = {FLOAT: "a floating point array", "int": "integers"}.get(self.numbers, "an array of numbers")
        call.array(name, x, wanted)
        if not is_called(self.numbers, x.dtype):
            raise TypeError(f"{name} must be {wanted}, got dtype {x.dtype}{self.instead and '; ' + self.instead}")
        call.fit(name, x, self.shape)
        if not is_floating(x):
            wide = call.xp.int64 if self.numbers == "int" else wide_dtype(call.first)
            x = x if x.dtype == wide else call.xp.astype(x, wide)
        if self.within:
            call.hold(name, x, self.within, self.hint, self.nan)
        return x


@dataclass(frozen=True)
class Number:
    """An option: a number, as Python or NumPy has it, an array of one, or more of them as `spread` says."""

    within: Range
    spread: str = ""
    hint: str = ""

    def __call__(self, name, x, call):
        if isinstance(x, Real) and not isinstance(x, bool):
            return self._plain(name, x, call)
        wanted = self.within.text(call.sizes, 1.0) + (" or an array of them" if self.spread else "")
        if not is_array_api_obj(x):
            raise TypeError(f"{name}={reprlib.repr(x)} is not allowed; it must {wanted}")
        call.array(name, x, wanted)
        if not is_called(FLOAT, x.dtype):
            raise TypeError(f"{name} must be a floating point array, got dtype {x.dtype}")
        given, full = tuple(x.shape), tuple(call.first.shape)
        if not self._fits(given, full):
            like = f" or shaped like {call.name}, {full}, with 1 where an axis shares one" if self.spread else ""
            raise ValueError(f"{name} must be a number{like}, got shape {given}")
        call.hold(name, x, self.within, self.hint)
        return x

    def _plain(self, name, x, call) -> float:
        try:
            value = float(x)
        except OverflowError:  # an integer of hundreds of digits
            value = math.nan
        rounded = _in_dtype(value, call)
        if not (self.within.holds(value, call.sizes) and self.within.holds(rounded, call.sizes)):
            where = "" if rounded == value or math.isnan(value) else f" in {wide_dtype(call.first)}"
            wanted = self.within.text(call.sizes, value) + where
            raise ValueError(f"{name}={reprlib.repr(x)} is not allowed; it must {wanted}")
        return rounded

    def _fits(self, given, full) -> bool:
        if self.spread == "broadcast":
            given = (1,) * (len(full) - len(given)) + given
        elif not self.spread or not given:
            return not given
        return len(given) == len(full) and all(n in (1, m) for n, m in zip(given, full, strict=True))


def _in_dtype(value: float, call) -> float:
    """0 or inf where the first array's type, at least float32, has nothing so small or so large."""
    if value == 0 or 1e-37 < abs(value) < 1e38 or not is_floating(call.first):
        return value
    info, size = call.xp.finfo(wide_dtype(call.first)), abs(value)
    if size > float(info.max):
        return math.copysign(math.inf, value)
    return 0.0 if size < float(info.smallest_normal) * float(info.eps) else value


def real(shape: str, within: str = "", nan: bool = False) -> Array:
    """Floating point numbers in a range; nan: NaN is not refused but shows in the loss, as in a prediction."""
    return Array(shape, within=Range(within) if within else None, nan=nan)


def integers(shape: str, within: str = "") -> Array:
    return Array(shape, "int", Range(within) if within else None)


def kept(shape: str) -> Array:
    """What counts: 1 or True, 0 or False, or a share between."""
    return Array(shape, rf"{FLOAT}|int|bool", Range("[0, 1]"))


def classes(shape: str) -> Array:
    """The index of a class, 0..C-1."""
    return Array(shape, "int", Range("[0, C)"), hint=IGNORE, instead="probabilities go to soft_cross_entropy")


def labels_below(classes: int, labels) -> None:
    """Raise ValueError unless the labels lie in 0..classes-1, where `classes` is no axis that a contract could name."""
    call = Call()
    call.array("labels", labels, "integers")
    call.hold("labels", labels, Range(f"[0, {classes})"), f"classes={classes}; {IGNORE}")


def number(within: str) -> Number:
    return Number(Range(within))


def spread(within: str) -> Number:
    """A number, or an array that broadcasts to the first argument without enlarging it."""
    return Number(Range(within), "broadcast")


def per_value(within: str) -> Number:
    """A number, or an array shaped like the first argument but for axes of length 1.

    The number of axes must agree: whether (N,) goes with the rows or the columns of (N, N) is not guessed.
    """
    return Number(Range(within), "per value", "let a network give its logarithm, and take exp")


class Signs(Array):
    """The labels +1 and -1, which reach the formula as floating point numbers."""

    def __call__(self, name, x, call):
        x = super().__call__(name, x, call)
        if not bool(call.xp.all((x == 1) | (x == -1))):
            raise ValueError(f"{name} must be +1 or -1; from labels y in {{0, 1}} take 2 y - 1")
        return call.xp.astype(x, wide_dtype(call.first))


def signs(shape: str) -> Signs:
    return Signs(shape, "int")


@dataclass(frozen=True)
class Plain:
    """An option that is no number to compute with; `allows` tells it, `wanted` says what it must be."""

    allows: Callable[[Any], bool]
    wanted: str

    def __call__(self, name, x, call):
        if not self.allows(x):
            error = ValueError if isinstance(x, Real) else TypeError
            raise error(f"{name}={reprlib.repr(x)} is not allowed; it must be {self.wanted}")
        return x


flag = Plain(lambda x: isinstance(x, bool), "True or False")
function = Plain(callable, "a function")
whole_list = Plain(lambda x: isinstance(x, list | tuple) and all(map(_is_whole, x)), "a list of integers")


def choice(*values):
    return Plain(
        lambda x: isinstance(x, Real) and not isinstance(x, bool) and x in values, " or ".join(map(str, values))
    )


@dataclass(frozen=True)
class Whole:
    """An option that counts: one integer."""

    within: Range

    def __call__(self, name, x, call):
        if not _is_whole(x):
            raise TypeError(f"{name}={reprlib.repr(x)} is not allowed; it must be an integer")
        if not (abs(x) < 2**53 and self.within.holds(int(x), call.sizes)):
            wanted = self.within.text(call.sizes, int(x)) + " and below 2^53" * (x >= 2**53)
            raise ValueError(f"{name}={reprlib.repr(x)} is not allowed; it must {wanted}")
        return int(x)


def whole(within: str) -> Whole:
    return Whole(Range(within))


def _is_whole(x) -> bool:
    return isinstance(x, Integral) and not isinstance(x, bool)


def optional(kind):
    """None, or what `kind` allows."""
    return lambda name, x, call: x if x is None else kind(name, x, call)


def float_type(name, x, call):
    """None, or a floating point type of the first array's library."""
    if x is None:
        return None
    try:
        dtype = call.xp.empty(0, dtype=x).dtype  # np.float32, a class, or "float32" are none, but name one
        if (isinstance(x, type) or not is_array_api_obj(x)) and call.xp.isdtype(dtype, "real floating"):
            return dtype
    except (AttributeError, TypeError, ValueError):
        pass
    raise TypeError(f"{name}={reprlib.repr(x)} is not allowed; it must be a floating point type, or None")
