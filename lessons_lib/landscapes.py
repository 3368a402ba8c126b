"""Test functions of a few parameters: value, gradient, Hessian and known minima, as NumPy float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = [
    "Landscape",
    "ackley",
    "beale",
    "booth",
    "goldstein_price",
    "himmelblau",
    "matyas",
    "mccormick",
    "quadratic",
    "rastrigin",
    "rosenbrock",
    "six_hump_camel",
    "styblinski_tang",
    "three_hump_camel",
]


@dataclass(frozen=True)
class Landscape:
    """value: (d,) -> number, gradient: (d,) -> (d,), hessian: (d,) -> (d, d); minima: the global ones, each (d,).

    lowest: the value at the minima.
    """

    value: Callable
    gradient: Callable
    hessian: Callable
    minima: tuple
    lowest: float = 0.0


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


def beale() -> Landscape:
    """Sum over i = 1, 2, 3 of (c_i - x + x y^i)^2, c = 1.5, 2.25, 2.625: a flat floor between steep walls.

    Minimum 0 at (3, 0.5).   Source: Beale 1958.
    """
    c, i = np.array([1.5, 2.25, 2.625]), np.arange(1, 4)

    def parts(p):
        x, y = p
        return c - x + x * y**i, y**i - 1, i * x * y ** (i - 1)  # r, dr/dx, dr/dy

    def gradient(p):
        r, r_x, r_y = parts(p)
        return 2 * np.array([r @ r_x, r @ r_y])

    def hessian(p):
        r, r_x, r_y = parts(p)
        x, y = p
        cross = r_x @ r_y + r @ (i * y ** (i - 1))
        bend = r_y @ r_y + x * (2 * r[1] + 6 * y * r[2])
        return 2 * np.array([[r_x @ r_x, cross], [cross, bend]])

    return Landscape(lambda p: np.sum(parts(p)[0] ** 2), gradient, hessian, (np.array([3.0, 0.5]),))


def booth() -> Landscape:
    """(x + 2 y - 7)^2 + (2 x + y - 5)^2: a tilted quadratic bowl. Minimum 0 at (1, 3).

    Source: Jamil and Yang 2013, a survey of test functions.
    """
    a, b = np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([7.0, 5.0])
    return Landscape(
        lambda p: np.sum((a @ p - b) ** 2),
        lambda p: 2 * a.T @ (a @ p - b),
        lambda p: 2 * a.T @ a,
        (np.array([1.0, 3.0]),),
    )


def matyas() -> Landscape:
    """0.26 (x^2 + y^2) - 0.48 x y: a narrow quadratic bowl, curvatures 0.04 and 1. Minimum 0 at the origin.

    Source: Jamil and Yang 2013.
    """
    h = np.array([[0.52, -0.48], [-0.48, 0.52]])
    return Landscape(lambda p: 0.5 * np.dot(p, h @ p), lambda p: h @ p, lambda p: h, (np.zeros(2),))


def three_hump_camel() -> Landscape:
    """2 x^2 - 1.05 x^4 + x^6 / 6 + x y + y^2: three basins with saddles between. Minimum 0 at the origin.

    Source: Branin 1972.
    """

    def value(p):
        x, y = p
        return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2

    def gradient(p):
        x, y = p
        return np.array([4 * x - 4.2 * x**3 + x**5 + y, x + 2 * y])

    def hessian(p):
        return np.array([[4 - 12.6 * p[0] ** 2 + 5 * p[0] ** 4, 1.0], [1.0, 2.0]])

    return Landscape(value, gradient, hessian, (np.zeros(2),))


def six_hump_camel() -> Landscape:
    """(4 - 2.1 x^2 + x^4 / 3) x^2 + x y + (4 y^2 - 4) y^2: six minima, two of them lowest, a saddle at the origin.

    Minimum -1.0316284534899 at +-(0.0898420131, -0.7126564030).   Source: Branin 1972; Dixon and Szegoe 1978.
    """

    def value(p):
        x, y = p
        return 4 * x**2 - 2.1 * x**4 + x**6 / 3 + x * y - 4 * y**2 + 4 * y**4

    def gradient(p):
        x, y = p
        return np.array([8 * x - 8.4 * x**3 + 2 * x**5 + y, x - 8 * y + 16 * y**3])

    def hessian(p):
        x, y = p
        return np.array([[8 - 25.2 * x**2 + 10 * x**4, 1.0], [1.0, 48 * y**2 - 8]])

    best = np.array([0.08984201310031806, -0.7126564030207396])
    return Landscape(value, gradient, hessian, (best, -best), lowest=-1.031628453489877)


def goldstein_price() -> Landscape:
    """A(x + y) B(2 x - 3 y), two polynomials of degree 4: values from 3 to 10^6, four minima. Minimum 3 at (0, -1).

    A(s) = 1 + (s + 1)^2 (3 s^2 - 14 s + 19),   B(w) = 30 + w^2 (3 w^2 - 16 w + 18)
    Source: Goldstein and Price 1971, who write both out in x and y.
    """
    along = np.array([[1.0, 1.0], [2.0, -3.0]])  # s and w, as rows
    a = np.polynomial.Polynomial([20.0, 24.0, -6.0, -8.0, 3.0])
    b = np.polynomial.Polynomial([30.0, 0.0, 18.0, -16.0, 3.0])

    def value(p):
        s, w = along @ p
        return a(s) * b(w)

    def gradient(p):
        s, w = along @ p
        return along.T @ np.array([a.deriv()(s) * b(w), a(s) * b.deriv()(w)])

    def hessian(p):
        s, w = along @ p
        cross = a.deriv()(s) * b.deriv()(w)
        return along.T @ np.array([[a.deriv(2)(s) * b(w), cross], [cross, a(s) * b.deriv(2)(w)]]) @ along

    return Landscape(value, gradient, hessian, (np.array([0.0, -1.0]),), lowest=3.0)


def mccormick() -> Landscape:
    """sin(x + y) + (x - y)^2 - 1.5 x + 2.5 y + 1: a valley of one minimum per wave.

    Lowest in the box -1.5 <= x <= 4, -3 <= y <= 4 at (1/2 - pi/3, -1/2 - pi/3), of height -sqrt(3)/2 - pi/3;
    outside the box the value has no lower bound.   Source: Jamil and Yang 2013.
    """

    def value(p):
        x, y = p
        return np.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1

    def gradient(p):
        x, y = p
        return np.cos(x + y) + 2 * (x - y) * np.array([1.0, -1.0]) + np.array([-1.5, 2.5])

    def hessian(p):
        return -np.sin(p[0] + p[1]) + np.array([[2.0, -2.0], [-2.0, 2.0]])

    best = np.array([0.5, -0.5]) - np.pi / 3
    return Landscape(value, gradient, hessian, (best,), lowest=-np.sqrt(3) / 2 - np.pi / 3)


def styblinski_tang(d: int = 2) -> Landscape:
    """Sum of x^4 - 16 x^2 + 5 x over all d numbers, halved: 2^d minima, the lowest -39.1661657 d at x = -2.9035340.

    Source: Styblinski and Tang 1990.
    """
    best = np.full(dimensions(d), -2.903534027771177)
    return Landscape(
        lambda p: 0.5 * np.sum(np.asarray(p) ** 4 - 16 * np.asarray(p) ** 2 + 5 * np.asarray(p)),
        lambda p: 2 * p**3 - 16 * p + 2.5,
        lambda p: np.diag(6 * p**2 - 16),
        (best,),
        lowest=-39.16616570377142 * d,
    )


def rastrigin(d: int = 2) -> Landscape:
    """Sum of 10 + x^2 - 10 cos(2 pi x) over all d numbers: a bowl under waves, a minimum near each whole number.

    Minimum 0 at the origin.   Source: Rastrigin 1974; Muehlenbein, Schomisch and Born 1991.
    """
    wave = 2 * np.pi
    return Landscape(
        lambda p: np.sum(10 + np.asarray(p) ** 2 - 10 * np.cos(wave * np.asarray(p))),
        lambda p: 2 * p + 10 * wave * np.sin(wave * p),
        lambda p: np.diag(2 + 10 * wave**2 * np.cos(wave * p)),
        (np.zeros(dimensions(d)),),
    )


def ackley(d: int = 2) -> Landscape:
    """20 - 20 exp(-0.2 r) + e - exp(mean cos(2 pi x)), r the root of the mean of x^2: waves that flatten far out.

    Minimum 0 at the origin, the tip of a cone: no slope there. The gradient is 0 by convention (one of many
    subgradients) and the Hessian raises ValueError.   Source: Ackley 1987.
    """
    wave = 2 * np.pi

    def parts(p):
        p = np.asarray(p)
        r = np.sqrt(np.mean(p**2))
        return r, 4 * np.exp(-0.2 * r), np.exp(np.mean(np.cos(wave * p)))  # radius, slope of the cone, waves

    def value(p):
        r, _, waves = parts(p)
        return -20 * np.expm1(-0.2 * r) + np.e - waves

    def gradient(p):
        r, slope, waves = parts(p)
        outwards = p / (d * r) if r > 0 else np.zeros(d)
        return slope * outwards + waves * wave * np.sin(wave * p) / d

    def hessian(p):
        r, slope, waves = parts(p)
        if r == 0:
            raise ValueError("ackley has no Hessian at p = 0, the tip of a cone")
        out, swing = p / (d * r), wave * np.sin(wave * p) / d  # gradients of r and of -mean(cos)
        cone = slope * (np.eye(d) / (d * r) - np.outer(out, out) * (1 / r + 0.2))
        return cone + waves * (np.diag(wave**2 * np.cos(wave * p) / d) - np.outer(swing, swing))

    return Landscape(value, gradient, hessian, (np.zeros(dimensions(d)),))


def dimensions(d: int) -> int:
    if not isinstance(d, int) or d < 1:
        raise ValueError(f"d={d} is not allowed; it must be a whole number >= 1")
    return d
