"""What each argument may be, said in a line above the formula: `@contract(pred=real("..."), delta=number("(0, inf)"))`.

A shape is written as in the docstrings: "..." for any axes, a capital for one, of the same size wherever it stands.
A range is written as in mathematics: "[0, 1)", where "inf)" leaves infinity out. NaN lies in no range.
"""

from __future__ import annotations

import inspect
import math
import reprlib
from functools import wraps
from typing import Any

from array_api_compat import is_array_api_obj

from .dtypes import in_first_dtype, is_floating, namespace

MAY_BE_EMPTY = {"...", "N", "S"}  # a batch without examples, a spelling without labels; no other named axis


def contract(**kinds):
    """Check every argument by its kind, then compute in the widest type and round once: see `in_first_dtype`."""

    def decorate(fn):
        signature = inspect.signature(fn)
        if list(kinds) != list(signature.parameters):
            raise TypeError(f"the contract of {fn.__name__} must name {list(signature.parameters)}, not {list(kinds)}")
        names, inner = tuple(kinds), in_first_dtype(fn)
        defaults = {n: p.default for n, p in signature.parameters.items() if p.default is not p.empty}

        @wraps(fn)
        def checked(*args, **kwargs):
            given = defaults | dict(zip(names, args, strict=False)) | kwargs
            if (
                len(args) > len(names)
                or given.keys() != kinds.keys()
                or not kwargs.keys().isdisjoint(names[: len(args)])
            ):
                signature.bind(*args, **kwargs)  # raises: an argument is missing, unknown or given twice
            return inner(**checked_arguments(fn, kinds, given))

        return checked

    return decorate


def checked_arguments(fn, kinds, given) -> dict[str, Any]:
    """The arguments as the formula gets them; raises TypeError or ValueError on the first that is not allowed."""
    call = Call()
    return {name: kind(name, given[name], call) for name, kind in kinds.items()}


class Call:
    """What the arguments of one call share: the first array's library and device, and the sizes of named axes."""

    def __init__(self):
        self.first, self.name, self.sizes, self.shapes = None, "", {}, {}

    def array(self, name, x, wanted):
        """Raise unless x is an array, of the library and on the device of the first."""
        if namespace(x) is None:
            raise TypeError(f"{name} must be {wanted}, got {reprlib.repr(x)}, a {type(x).__name__}")
        if found := _not_plain(x):
            raise TypeError(f"{name} must be a plain array that holds its numbers, got {found}")
        if self.first is None:
            self.first, self.name, self.xp = x, name, namespace(x)
        elif type(x) is not type(self.first) and namespace(x) is not self.xp:
            found, first = (f"{type(a).__module__}.{type(a).__name__}" for a in (x, self.first))
            raise TypeError(f"{name} must come from the array library of {self.name}, {first}, got {found}")
        elif x.device != self.first.device:
            raise ValueError(f"{name} must be on the device of {self.name}, {self.first.device}, got {x.device}")

    def fit(self, name, x, spec):
        """Raise unless the shape is as written, with the sizes that earlier arguments gave to its axes."""
        axes, sizes = spec.split(", "), list(x.shape)
        self.shapes[name] = axes, tuple(x.shape)
        if axes[0] == "...":
            rest = max(len(sizes) - len(axes) + 1, 0)
            sizes = [tuple(sizes[:rest]), *sizes[rest:]]
        if len(axes) != len(sizes) or any(
            self.sizes.setdefault(axis, n) != n or (n == 0 and axis not in MAY_BE_EMPTY)
            for axis, n in zip(axes, sizes, strict=True)
        ):
            raise ValueError(self._misfit())

    def _misfit(self) -> str:
        got = ", ".join(f"{name} {shape}" for name, (_, shape) in self.shapes.items())
        if (
            len({tuple(axes) for axes, _ in self.shapes.values()})
            == 1
            < len({shape for _, shape in self.shapes.values()})
        ):
            return f"shapes must be equal, got {got}"
        wanted = [f"{name} ({', '.join(axes)})" for name, (axes, _) in self.shapes.items()]
        least = {axis for axes, _ in self.shapes.values() for axis in axes} - MAY_BE_EMPTY
        return f"shapes must be {', '.join(wanted + [f'{axis} >= 1' for axis in sorted(least)])}; got {got}"

    def hold(self, name, x, within: Range, hint="", nan=False):
        """Raise unless every number of x lies in the range; nan: let NaN through, to show in the result."""
        inside = within.holds(x, self.sizes)
        if not bool(self.xp.all(inside | (x != x) if nan else inside)):
            found = f"got {self.xp.reshape(x[~inside], (-1,))[0]}"
            found += "".join(f" beside {n} {shape}" for n, (axes, shape) in self.shapes.items() if within.high in axes)
            raise ValueError(f"{name} must {within.text(self.sizes, x)}, {found}{hint and '; ' + hint}")


def _not_plain(x) -> str:
    """What makes an array compute by rules of its own, or not at all; "" for most."""
    if hasattr(x, "layout"):  # a tensor of torch's
        odd = [flag for flag in ("is_quantized", "is_nested", "is_meta") if getattr(x, flag)]
        return "" if str(x.layout) == "torch.strided" and not odd else f"{x.layout} {' '.join(odd)} on {x.device}"
    if type(x).__name__ in ("MaskedArray", "matrix"):
        return f"a {type(x).__name__}; what a mask leaves out has the weight 0 in weighted_mean"
    return "" if getattr(x.dtype, "isnative", True) else f"dtype {x.dtype}, another machine's order of bytes"


class Range:
    """An interval of numbers; an end may be a named axis, for its size."""

    def __init__(self, written: str):
        self.written, self.left, self.right = written, written[0], written[-1]
        self.low, self.high = (_number(end) for end in written[1:-1].split(", "))

    def holds(self, x, sizes):
        low, high = sizes.get(self.low, self.low), sizes.get(self.high, self.high)
        inside = x > low if self.left == "(" else x >= low
        if self.right == "]" and high == math.inf:
            return inside
        return inside & (x < high if self.right == ")" else x <= high)

    def text(self, sizes, x) -> str:
        """What a number ("be a finite number >= 0", "lie in [0, 1)") or the numbers of an array must do."""
        low, high, many = self.low, sizes.get(self.high, self.high), is_array_api_obj(x)
        if isinstance(x, int) or (many and not is_floating(x)):
            return f"lie in {low}..{high - (self.right == ')')}" if high < math.inf else f"be at least {low}"
        if low == -math.inf or high < math.inf:
            return f"lie in {self.written}" + " and hold no NaN" * many
        numbers = "finite number" if self.right == ")" else "number"
        at_least = ">" if self.left == "(" else ">="
        return f"hold {numbers}s {at_least} {low} and no NaN" if many else f"be a {numbers} {at_least} {low}"


def _number(end: str):
    """An int where it is one: some libraries compare integers with integers only."""
    try:
        return int(end)
    except ValueError:
        return float(end) if "inf" in end or "." in end else end  # else the name of an axis
