"""The symbols of a derivation: how they are read, what they stand for, and the random numbers put in their place."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

POINTS = 100
FUNCTIONS = {"log1p": lambda x: sp.log(1 + x), "expm1": lambda x: sp.exp(x) - 1}


class Symbols:
    """See `derive` for the arguments."""

    def __init__(self, names, sizes, simplex, ranges, means):
        single = isinstance(names, sp.Basic)
        symbols = names if isinstance(names, Mapping) else {str(s): s for s in ([names] if single else names)}
        self.names: dict[str, Any] = dict(symbols)
        self.sizes, self.ranges = dict(sizes or {}), dict(ranges or {})
        if len(self.sizes) > 1:
            raise ValueError(f"sizes must name one symbol, the length of every array, got {self.sizes}")
        self.simplex = {str(y) for y in ([simplex] if isinstance(simplex, sp.IndexedBase) else simplex)}
        self.known: dict[tuple, sp.Basic] = {}  # what is flat already: each line is wanted again by the next
        self.means = {word: self.read(meaning) for word, meaning in (means or {}).items()}

    @cached_property
    def tex(self) -> dict[str, str]:
        return {name: sp.latex(sp.Symbol(str(getattr(s, "label", s)))) for name, s in self.names.items()}

    def read(self, expression) -> sp.Basic:
        """A text in `names`, or what SymPy takes."""
        if not isinstance(expression, str):
            return sp.sympify(expression)
        try:
            found = sp.parse_expr(expression, FUNCTIONS | self.names)
        except (SyntaxError, TypeError, AttributeError) as error:
            raise ValueError(f"cannot read {expression!r}: {error}") from None
        known = {str(s) for s in self.names.values()}
        used = found.free_symbols - found.atoms(sp.Indexed) | {f.func for f in found.atoms(AppliedUndef)}
        for unknown in sorted({str(s) for s in used} - known):
            raise ValueError(f"{unknown} in {expression!r} is none of the names: {', '.join(self.names)}")
        return found

    def text(self, expression) -> str:
        """What `read` would read."""
        if isinstance(expression, str):
            return expression
        plain = {s: sp.Symbol(name) for name, s in self.names.items() if isinstance(s, sp.Symbol) and str(s) != name}
        return sp.sstr(sp.sympify(expression).xreplace(plain), order="none")

    def cases(self, indices: Iterable[sp.Symbol]) -> list[dict]:
        """Every length of the arrays, and every value of the free indices."""
        (size, lengths), indices = next(iter(self.sizes.items()), (None, (1,))), list(indices)
        return [
            ({size: n} if size is not None else {}) | dict(zip(indices, places, strict=True))
            for n in lengths
            for places in itertools.product(range(1, n + 1), repeat=len(indices))
        ]

    def length(self, case: Mapping) -> int:
        return next((case[size] for size in self.sizes), 1)

    def flat(self, expression, case: Mapping):
        """Meanings put in, sums written out, z[2] a symbol, and the last of a simplex 1 minus the others."""
        for word, meaning in self.means.items():
            expression = _put_in(expression, word, meaning)
        here = tuple((s, n) for s, n in case.items() if s in expression.free_symbols)
        if (expression, here) not in self.known:
            self.known[expression, here] = self._flat(expression, dict(here), self.length(case))
        return self.known[expression, here]

    def _flat(self, expression, case: Mapping, n: int):
        expression = expression.subs(case, simultaneous=True).doit()
        expression = expression.replace(lambda e: isinstance(e, sp.Indexed), lambda e: _element(e.base, *e.indices))
        for y in map(self.names.get, self.simplex):
            expression = expression.xreplace({_element(y, n): 1 - sum(_element(y, i) for i in range(1, n))})
        return expression

    def draw(self, n: int) -> dict[str, np.ndarray]:
        """Random numbers for every name, the same at each call: (POINTS, n) for an array, (POINTS,) for a symbol."""
        rng = np.random.default_rng(0)
        return {name: self._draw(rng, name, n) for name in sorted(self.names) if self._drawn(name)}

    def _drawn(self, name: str) -> bool:
        return isinstance(self.names[name], sp.Symbol | sp.IndexedBase)

    def _draw(self, rng, name: str, n: int):
        symbol = self.names[name]
        shape = (POINTS, n) if isinstance(symbol, sp.IndexedBase) else (POINTS,)
        low, high = self.ranges.get(symbol, (1, 9) if symbol.is_integer else (None, None))
        if symbol in self.sizes:
            return np.full(shape, n)
        if name in self.simplex:
            return rng.dirichlet(np.ones(n), POINTS)
        if symbol.is_integer:
            return rng.integers(low, high, shape, endpoint=True)
        if low is not None:
            return rng.uniform(low, high, shape)
        return rng.lognormal(size=shape) if symbol.is_positive else 2 * rng.normal(size=shape)

    def columns(self, n: int) -> dict[sp.Symbol, np.ndarray]:
        """The random numbers under the symbols of a flat expression."""
        found: dict[sp.Symbol, np.ndarray] = {}
        for name, values in self.draw(n).items():
            symbol = self.names[name]
            array = isinstance(symbol, sp.IndexedBase)
            found |= {_element(symbol, i + 1): values[:, i] for i in range(n)} if array else {symbol: values}
        return found


def _element(base, *indices):
    place = ", ".join(map(str, indices))
    return sp.Symbol(f"{base}[{place}]", real=True, positive=base.is_positive)


def _put_in(expression, word, meaning):
    """`meaning` for every `word`: p, p[i] for all i, or s(x) for all x."""
    if isinstance(word, sp.Indexed):
        return expression.replace(
            lambda e: isinstance(e, sp.Indexed) and e.base == word.base,
            lambda e: meaning.subs(dict(zip(word.indices, e.indices, strict=True)), simultaneous=True),
        )
    if isinstance(word, AppliedUndef):
        return expression.replace(word.func, lambda *args: meaning.subs(dict(zip(word.args, args, strict=True))))
    return expression.subs(word, meaning)
