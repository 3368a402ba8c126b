"""What ties a line to a program: the program's own numbers at random points, or the mean of its random draws."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import numpy as np

from .check import Columns, at
from .symbols import POINTS

FLOAT = 1e-12  # how close the library's float64 comes to 40 digits
PLACES, DRAWS, ERRORS = 10, 10_000, 4  # random points, draws at each, standard errors allowed


def wanted(function: Callable, given: Mapping) -> list[str]:
    """The names of its parameters, each of them among the given ones."""
    names = list(inspect.signature(function).parameters)
    for name in names:
        if name not in given:
            raise ValueError(f"the parameter {name} is none of the names: {', '.join(given)}")
    return names


def computes(function: Callable, each: bool, columns: Columns, given: Mapping, line: np.ndarray) -> str:
    """Where the function does not give the numbers of the line, in words, or nothing."""
    given = {name: given[name] for name in wanted(function, given)}
    points = [{name: x[n] for name, x in given.items()} for n in range(POINTS)]
    found = np.asarray([function(**p) for p in points] if each else function(**given), dtype=float)
    if found.shape != line.shape:
        return f"its result has the shape {found.shape}, the line above {line.shape}"
    for n in np.argwhere(~np.isclose(found, line, rtol=FLOAT, atol=FLOAT)):
        return f"at {at(columns, n[0])} it gives {found[*n]:.6g}, the line above {line[*n]:.6g}"
    return ""


def averages(sample: Callable, columns: Columns, given: Mapping, line: np.ndarray) -> str:
    """Where the mean of the draws is not the line, in words, or nothing."""
    names = wanted(sample, {"rng": 0, "size": 0} | dict(given))[2:]
    errors = np.zeros_like(line[:PLACES])
    for n in range(PLACES):
        drawn = np.asarray(sample(np.random.default_rng(n), DRAWS, **{name: given[name][n] for name in names}))
        if drawn.shape != (DRAWS, *line.shape[1:]):
            return f"its draws have the shape {drawn.shape}, needed are {(DRAWS, *line.shape[1:])}"
        mean, errors[n] = drawn.mean(axis=0), drawn.std(axis=0) / DRAWS**0.5
        for i in np.argwhere(~(abs(mean - line[n]) <= ERRORS * errors[n] + FLOAT)):
            found = f"its mean is {mean[*i]:.6g} ± {errors[n, *i]:.2g}, the line above {line[n, *i]:.6g}"
            return f"at {at(columns, n)} {found}"
    return "its draws scatter too widely to tell the line above from 0" if _blind(line[:PLACES], errors) else ""


def _blind(line: np.ndarray, errors: np.ndarray) -> bool:
    return bool((abs(line) <= ERRORS * errors).all())
