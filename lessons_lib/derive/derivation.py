"""A derivation as an object: a call per line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
import sympy as sp

from . import page, ties
from .check import CLOSE, FEW, Case, DoesNotFollow, same_sign, values
from .symbols import POINTS, Symbols
from .tex import latex

LIMIT = 1e-6  # how close the line comes to its limit at a far point, where SymPy finds none
FAR = 10**9


class derive:
    r"""derive(r"\ell", expression, reason, names).equals(...).slope(...).library(...): a call per line, each checked.

    expression: a text in `names`, shown as it is written, or SymPy's. tex=: LaTeX to show in its place.
    reason: Markdown, shown beside the line.
    names: the symbols, as a list or as a dict from their names in the text.
    sizes={C: (2, 3)}: the lengths of the arrays (IndexedBase) for which lines are checked.
    simplex=[y]: arrays whose numbers are positive and sum to 1.
    ranges={beta: (0, 1)}: where random values come from; else normal, lognormal if positive, 1 to 9 if whole.
    means={p[i]: softmax}: p stands for this, in every line; p and s(x) can stand for something as well.

    A line that does not follow raises DoesNotFollow, with its number and a point at which the two sides differ.
    """

    written: ClassVar[list[derive]] = []  # every derivation since the start, for who counts their checks

    def __init__(self, name, expression, reason, names, sizes=None, *, simplex=(), ranges=None, means=None, tex=""):
        self.symbols = Symbols(names, sizes, simplex, ranges, means)
        self.name, self.by, self.indices = name, [], []
        self.lines: list[page.Line] = []
        self.defines, self.tied = True, False  # is the line above the definition in other words, and is that tied down?
        self.now = self.symbols.read(expression)
        self._add(name, "=", expression, reason, "", tex)
        derive.written.append(self)

    @property
    def unchecked(self) -> int:
        """Lines that nothing checked. The first is checked when `equals`, `library` or `expects` ties it down."""
        return sum(not line.how for line in self.lines) - self.tied

    @property
    def checked(self) -> int:
        return len(self.lines) - self.unchecked

    def equals(self, expression, reason: str, tex: str = "") -> derive:
        """The same in other words."""
        self._follow("", "=", expression, reason, tex)
        self.tied |= self.defines
        return self

    def slope(self, x, expression, reason: str, tex: str = "") -> derive:
        """The derivative of the line above by x. For an x such as z[k] it holds for every k."""
        x = self.symbols.read(x)
        self.indices += [i for i in getattr(x, "indices", ()) if i.is_Symbol and i not in self.indices]
        self.by.append(x)

        def act(old, case):
            return sp.diff(old, self._symbol(x, case))

        return self._move(self._slope(), "=", expression, reason, tex, act, f"the slope by {x} of the line above")

    def put(self, x, value, expression, reason: str, tex: str = "") -> derive:
        """The line above at one value of x."""
        left = rf"{self._tex(x)} = {self._tex(value)}:"
        return self._move(left, "=", expression, reason, tex, self._at(x, value), f"the line above at {x} = {value}")

    def zero_at(self, x, value, reason: str, tex: str = "") -> derive:
        """An x for which the line above is zero; the only one if the line grows, or falls, with x everywhere."""
        how = self._check(self._at(x, value), sp.S.Zero, value, f"the line above at {x} = {value}")
        only = all(
            same_sign(sp.diff(old, self._symbol(x, case)), self._symbol(x, case), columns)
            for case, old, columns in self._cases()
        )
        arrow, more = (r"\iff", f"; monotone at {POINTS} random points") if only else (r"\Leftarrow", "")
        relation = rf"= 0 {arrow} {self._tex(x)} ="
        self.defines, self.now, self.name, self.by = False, self.symbols.read(value), self._tex(x), []
        return self._add("", relation, value, reason, how + more, tex)

    def at_most(self, expression, reason: str, tex: str = "") -> derive:
        """An upper bound of the line above."""
        return self._move("", r"\le", expression, reason, tex, sign=-1)

    def at_least(self, expression, reason: str, tex: str = "") -> derive:
        """A lower bound of the line above."""
        return self._move("", r"\ge", expression, reason, tex, sign=1)

    def limit(self, x, to, expression, reason: str, tex: str = "") -> derive:
        """Where the line above goes as x goes to oo, to -oo, or from above to a number."""
        x, to = self.symbols.read(x), self.symbols.read(to)
        left, what = rf"\lim_{{{self._tex(x)} \to {self._tex(to)}}} {self._slope()}", f"the limit for {x} to {to}"
        if any(old.has(sp.Sum) for _, old, _ in self._cases()):
            raise ValueError(f"{self._next()}: SymPy knows no closed form of the sum, give one before its limit")
        exact = all(_limit(old, x, to) is not None for _, old, _ in self._cases())
        far = to + sp.Rational(1, FAR) if to.is_finite else sp.sign(to) * FAR
        act = (lambda old, case: _limit(old, x, to)) if exact else (lambda old, case: old.subs(x, far))
        return self._move(left, "=", expression, reason, tex, act, what, close=CLOSE if exact else LIMIT)

    def law(self, claim: str, reason: str, by: str, holds: Callable[[], Any]) -> derive:
        """What a program finds where no formula proves it. `claim` is Markdown, `by` says how the program looked."""
        if not holds():
            raise DoesNotFollow(f"{self._next()} does not hold: {claim}")
        self.lines.append(page.Line("", claim, reason, by, claim))
        return self

    def library(self, call: str, function: Callable, reason="the library's own code computes this line", each=False):
        """The library computes the line above. The parameters of `function` are symbols; it gets arrays with a row for
        every random point and returns one with as many, or with each=True the numbers of a single point at a time."""
        return self._tie(call, reason, f"{POINTS} random points", partial(ties.computes, function, each))

    def expects(self, call: str, sample: Callable, reason: str) -> derive:
        """The line above is the mean of what `sample(rng, size, ...)` draws: `size` numbers, for symbols by name."""
        how = f"{ties.PLACES} random points, {ties.DRAWS:,} draws at each"
        return self._tie(call, reason, how, partial(ties.averages, sample))

    def _tie(self, call: str, reason: str, how: str, compare: Callable[..., str]) -> derive:
        for table in self._tables():
            if found := compare(*table):
                raise DoesNotFollow(f"{self._next()}: {call} is not the line above: {found}")
        self.tied |= self.defines
        self.lines.append(page.Line("", f"`{call}`", reason, how, call))
        return self

    def _tables(self):
        """For every length: the columns, the random numbers by name, and the line above in float64."""
        for length in dict.fromkeys(map(self.symbols.length, self.symbols.cases([]))):
            cases = [(old, columns) for case, old, columns in self._cases() if self.symbols.length(case) == length]
            columns = cases[0][1]
            ours = np.array(values([old for old, _ in cases], columns), dtype=float)
            if not ours.any():
                raise ValueError(f"{self._next()}: the line above is 0 everywhere, and so would be a broken function")
            yield columns, self.symbols.draw(length), ours.reshape(POINTS, *[length] * len(self.indices))

    def _cases(self) -> list:
        """Every case, the line above in it, and random numbers."""
        cases = self.symbols.cases(self.indices)
        return [(c, self.symbols.flat(self.now, c), self.symbols.columns(self.symbols.length(c))) for c in cases]

    def _move(self, *args, **kwargs) -> derive:
        """A line that is not the one above in other words."""
        self._follow(*args, **kwargs)
        self.defines = False
        return self

    def _follow(self, left, relation, new, reason, tex, act=None, what="the line above", sign=0, close=CLOSE) -> derive:
        found, tex = self.symbols.read(new), tex or self._tex(new)
        how = self._check(act or (lambda old, case: old), found, new, what, sign, close)
        self.now = found
        return self._add(left, relation, new, reason, how, tex)

    def _check(self, act, new, shown, what: str, sign: int = 0, close: float = CLOSE) -> str:
        cases = [
            Case(case, act(old, case), self.symbols.flat(new, case), columns, close)
            for case, old, columns in self._cases()
        ]
        for points in (FEW, POINTS):
            for case in cases:
                if found := case.refuted(sign, points):
                    raise DoesNotFollow(f"{self._next()} does not follow: {shown}. {found.format(what=what)}.")
            if all(case.proved(sign) for case in cases):
                sizes = (f", ${self._tex(s)} = {', '.join(map(str, n))}$" for s, n in self.symbols.sizes.items())
                return "SymPy" + "".join(sizes)
        return f"{POINTS} random points"

    def _at(self, x, value):
        x, value = self.symbols.read(x), self.symbols.read(value)
        return lambda old, case: old.subs(self._symbol(x, case), self.symbols.flat(value, case))

    def _symbol(self, x, case):
        found = self.symbols.flat(self.symbols.read(x), case)
        if not found.is_Symbol:
            raise ValueError(f"{self._next()}: {x} stands for {found}, name a symbol that is free")
        return found

    def _next(self) -> str:
        return f"line {len(self.lines) + 1} of {self.name}"

    def _slope(self) -> str:
        if not self.by:
            return self.name
        order = f"^{len(self.by)}" if len(self.by) > 1 else ""
        under = " ".join(
            rf"\partial {self._tex(x)}" + (f"^{times}" if times > 1 else "") for x, times in Counter(self.by).items()
        )
        return rf"\frac{{\partial{order} {self.name}}}{{{under}}}"

    def _tex(self, expression) -> str:
        return latex(self.symbols.text(expression), self.symbols.tex)

    def _add(self, left: str, relation: str, new, reason: str, how: str, tex: str) -> derive:
        right = page.formula(f"{relation} {tex or self._tex(new)}")
        self.lines.append(page.Line(left, right, reason, how, f"{left} {relation} {self.symbols.text(new)}".strip()))
        return self

    def _repr_mimebundle_(self, **kwargs):
        data = {"text/markdown": page.markdown(self.lines), "text/plain": page.plain(self.lines)}
        return data, {"derive": {"checked": self.checked, "unchecked": self.unchecked}}


def _limit(old, x, to):
    """SymPy's limit, or None where it finds none."""
    try:
        found = sp.limit(old, x, to)
    except NotImplementedError:
        return None
    return None if found.has(sp.Limit) else found
