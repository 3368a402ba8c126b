"""Does a line follow? SymPy proves it or, where it cannot, 100 random points decide; a few points come first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy as sp

from .symbols import POINTS

DIGITS, CLOSE = 40, 1e-20  # what cancellation costs lies far between the two
FEW = 3  # points before SymPy is asked: a wrong line seldom survives one
Columns = Mapping[sp.Symbol, np.ndarray]


class DoesNotFollow(AssertionError):
    """A line of a derivation that does not follow from the one above, or that the library does not compute."""


class Case(NamedTuple):
    """Two sides of a line, for one length of the arrays and one choice of the free indices."""

    case: Mapping
    old: sp.Expr
    new: sp.Expr
    columns: Columns
    close: float

    def refuted(self, sign: int, points: int) -> str:
        """A point at which the sides differ, in words, or nothing."""
        for n, (a, b) in enumerate(values([self.old, self.new], self.columns, points)):
            if differ(a, b, sign, self.close):
                seen = {s: x for s, x in self.columns.items() if s in self.old.free_symbols | self.new.free_symbols}
                where = ", ".join([f"{s} = {v}" for s, v in self.case.items()] + ([at(seen, n)] if seen else []))
                return f"At {where or 'every point'} {{what}} is {_short(a)} and this line {_short(b)}"
        return ""

    def proved(self, sign: int) -> bool:
        """Does SymPy find it?"""
        gap = smooth(self.old) - smooth(self.new)
        if self.close != CLOSE:
            return False
        if sign:
            return any((sign * e).is_nonnegative for e in (gap, sp.factor(gap)))
        ways = WAYS[:2] if gap.has(*KINKED) else WAYS
        return self.old == self.new or any(way(gap) == 0 for way in ways)


KINKED = sp.Piecewise, sp.Max, sp.Min, sp.Abs, sp.sign  # for which SymPy takes seconds, often in vain
WAYS: tuple[Callable[[Any], Any], ...] = (
    sp.expand,
    lambda gap: sp.expand(sp.expand_log(sp.expand(gap), force=True)),
    sp.cancel,
    lambda gap: sp.simplify(sp.expand_log(sp.expand(gap), force=True)),
)


def smooth(expression):
    """The slope of max, |x| and sign without the spike at the kink, which no random point meets."""
    expression = expression.replace(sp.DiracDelta, lambda *args: sp.S.Zero)
    return expression.replace(sp.Heaviside, lambda x, *rest: sp.Piecewise((1, x > 0), (0, True)))


def values(expressions, columns: Columns, points: int = POINTS) -> list[list]:
    """Each expression at each random point, to 40 digits."""
    expressions = [sp.nan if e.has(sp.zoo) else smooth(e) for e in expressions]
    symbols = sorted(set().union(*(e.free_symbols for e in expressions)), key=str)
    for s in symbols:
        if s not in columns:
            raise ValueError(f"no number for {s}: an index that nothing counts, or a place outside its array")
    short = {s: sp.Symbol(f"x{n}", real=True) for n, s in enumerate(symbols)}  # z[1] would cost lambdify seconds
    function = sp.lambdify([*short.values()], [e.xreplace(short) for e in expressions], "mpmath")
    with mpmath.workdps(DIGITS):
        return [_row(function, [_exact(columns[s][n]) for s in symbols], len(expressions)) for n in range(points)]


def _row(function: Callable, point: list, width: int) -> list:
    try:
        return [_real(v) for v in function(*point)]
    except ZeroDivisionError:
        return [mpmath.nan] * width


def differ(a, b, sign: int, close: float) -> bool:
    """Are these not equal (sign 0), or is a not the larger (1), the smaller one (-1)?"""
    if mpmath.isinf(a) or mpmath.isinf(b):
        return a != b if sign == 0 else not sign * a >= sign * b
    gap, room = a - b, close * max(1, abs(a), abs(b))
    return not (abs(gap) <= room if sign == 0 else sign * gap >= -room)


def same_sign(slope, x, columns: Columns) -> bool:
    """At each random point: is the slope above 0 for all of ten x there, or below 0 for all?"""
    turned = [columns | {x: np.roll(columns[x], k)} for k in range(10)]  # type: ignore[operator]
    signs = np.array([[mpmath.sign(v) for (v,) in values([slope], c)] for c in turned], dtype=float)
    return bool(np.all(np.abs(signs.sum(axis=0)) == len(turned)))


def at(columns: Columns, n: int) -> str:
    """The n-th random point in words."""
    return ", ".join(f"{s} = {x[n]:.6g}" for s, x in columns.items())


def _exact(x):
    return int(x) if isinstance(x, np.integer) else mpmath.mpf(float(x))


def _real(x):
    """NaN for what is not a real number, so that it equals nothing."""
    return mpmath.nan if isinstance(x, mpmath.mpc) and abs(x.imag) > CLOSE else mpmath.mpf(mpmath.re(x))


def _short(x) -> str:
    return "no real number" if mpmath.isnan(x) else mpmath.nstr(x, 6)
