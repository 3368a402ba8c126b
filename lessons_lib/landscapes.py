"""Test functions of a few parameters: value, gradient, Hessian and known minima, as NumPy float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Landscape", "himmelblau", "quadratic", "rosenbrock"]


@dataclass(frozen=True)
class Landscape:
    """value: (d,) -> number, gradient: (d,) -> (d,), hessian: (d,) -> (d, d), minima: the global ones, each (d,)."""

    value: Callable
    gradient: Callable
    hessian: Callable
    minima: tuple


def quadratic(*curvatures: float) -> Landscape:
    """theta^T diag(curvatures) theta / 2: the eigenvalues are the curvatures, the minimum is 0 at the origin."""
    if not curvatures or min(curvatures) <= 0:
        raise ValueError(f"curvatures={curvatures} are not allowed; at least one, all > 0")
    h = np.array(curvatures, dtype=float)
    return Landscape(
        lambda x: 0.5 * np.sum(h * np.asarray(x) ** 2), lambda x: h * x, lambda x: np.diag(h), (np.zeros(len(h)),)
    )


def rosenbrock(a: float = 1.0, b: float = 100.0) -> Landscape:
    """(a - x)^2 + b (y - x^2)^2: a curved valley, easy to enter and slow to follow. Minimum 0 at (a, a^2).

    Source: Rosenbrock 1960.
    """

    def value(p):
        return (a - p[0]) ** 2 + b * (p[1] - p[0] ** 2) ** 2

    def gradient(p):
        valley = p[1] - p[0] ** 2
        return np.array([-2 * (a - p[0]) - 4 * b * p[0] * valley, 2 * b * valley])

    def hessian(p):
        cross = -4 * b * p[0]
        return np.array([[2 - 4 * b * (p[1] - 3 * p[0] ** 2), cross], [cross, 2 * b]])

    return Landscape(value, gradient, hessian, (np.array([a, a**2]),))


def himmelblau() -> Landscape:
    """(x^2 + y - 11)^2 + (x + y^2 - 7)^2: four minima of height 0; which one is found depends on the start.

    Source: Himmelblau 1972.
    """

    def value(p):
        return (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2

    def gradient(p):
        u, w = p[0] ** 2 + p[1] - 11, p[0] + p[1] ** 2 - 7
        return np.array([4 * p[0] * u + 2 * w, 2 * u + 4 * p[1] * w])

    def hessian(p):
        u, w = p[0] ** 2 + p[1] - 11, p[0] + p[1] ** 2 - 7
        cross = 4 * (p[0] + p[1])
        return np.array([[4 * u + 8 * p[0] ** 2 + 2, cross], [cross, 2 + 4 * w + 8 * p[1] ** 2]])

    minima = [(3.0, 2.0), (-2.805118086952745, 3.131312518250573)]
    minima += [(-3.779310253377747, -3.283185991286170), (3.584428340330492, -1.848126526964404)]
    return Landscape(value, gradient, hessian, tuple(map(np.array, minima)))
