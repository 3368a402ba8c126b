"""The test functions: published minima, and every gradient and Hessian against finite differences."""

import numpy as np
import pytest

from lessons_lib import landscapes

HILLS = {name: getattr(landscapes, name)() for name in landscapes.__all__ if name not in ("Landscape", "quadratic")}
HILLS["quadratic"] = landscapes.quadratic(1.0, 25.0)
HILLS |= {f"{name} in 5": getattr(landscapes, name)(5) for name in ("ackley", "rastrigin", "styblinski_tang")}
PUBLISHED = {  # as printed in the surveys, to their digits
    "ackley": ((0, 0), 0),
    "beale": ((3, 0.5), 0),
    "booth": ((1, 3), 0),
    "goldstein_price": ((0, -1), 3),
    "himmelblau": ((3, 2), 0),
    "matyas": ((0, 0), 0),
    "mccormick": ((-0.547, -1.547), -1.9133),
    "quadratic": ((0, 0), 0),
    "rastrigin": ((0, 0), 0),
    "rosenbrock": ((1, 1), 0),
    "six_hump_camel": ((0.0898, -0.7126), -1.0316),
    "styblinski_tang": ((-2.903534, -2.903534), -78.332),
    "three_hump_camel": ((0, 0), 0),
}


def test_every_landscape_is_tested():
    assert set(PUBLISHED) | {"Landscape"} == set(landscapes.__all__)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_minimum(name):
    where, height = PUBLISHED[name]
    np.testing.assert_allclose(HILLS[name].minima[0], where, atol=6e-4)
    assert HILLS[name].lowest == pytest.approx(height, rel=2e-4)


@pytest.mark.parametrize("name", HILLS)
def test_minima(name):
    hill = HILLS[name]
    rng = np.random.default_rng(0)
    for x in hill.minima:
        assert hill.value(x) == pytest.approx(hill.lowest, abs=1e-12, rel=1e-13)
        assert np.abs(hill.gradient(x)).max() < 1e-9
        if "ackley" not in name:  # a cone has no Hessian at its tip
            assert np.linalg.eigvalsh(hill.hessian(x)).min() > 0
        for _ in range(50):
            assert hill.value(x + 0.1 * rng.normal(size=x.shape)) > hill.lowest


@pytest.mark.parametrize("name", HILLS)
def test_gradient_and_hessian_are_the_slopes(name):
    hill, rng, h = HILLS[name], np.random.default_rng(1), 1e-5
    for _ in range(5):
        x = 1.5 * rng.normal(size=hill.minima[0].shape)
        g, hessian = hill.gradient(x), hill.hessian(x)
        steps = h * np.eye(len(x))
        slope = np.array([(hill.value(x + s) - hill.value(x - s)) / (2 * h) for s in steps])
        bend = np.array([(hill.gradient(x + s) - hill.gradient(x - s)) / (2 * h) for s in steps])
        np.testing.assert_allclose(g, slope, rtol=1e-6, atol=1e-6 * np.abs(g).max())
        np.testing.assert_allclose(hessian, bend, rtol=1e-6, atol=1e-6 * np.abs(hessian).max())
        np.testing.assert_allclose(hessian, hessian.T, rtol=1e-13)


@pytest.mark.parametrize("name", ["mccormick", "six_hump_camel", "goldstein_price", "rastrigin", "styblinski_tang"])
def test_no_point_of_a_grid_is_lower(name):
    grid = np.linspace(-1.5, 1.5, 61) if name == "mccormick" else np.linspace(-4, 4, 161)
    assert min(HILLS[name].value(np.array([x, y])) for x in grid for y in grid) >= HILLS[name].lowest - 1e-12


def test_goldstein_price_is_the_published_polynomial():
    x, y = 0.7, -1.3
    a = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    b = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    assert HILLS["goldstein_price"].value(np.array([x, y])) == pytest.approx(a * b, rel=1e-13)


def test_ackley_has_no_slope_at_its_tip():
    hill, d = HILLS["ackley"], np.array([1e-9, 0.0])
    assert hill.value(d) == pytest.approx(4e-9 / np.sqrt(2), rel=1e-5)  # a cone: the value grows with the distance
    assert (hill.gradient(np.zeros(2)) == 0).all() and hill.gradient(d)[0] > 2.8
    with pytest.raises(ValueError, match="no Hessian"):
        hill.hessian(np.zeros(2))


@pytest.mark.parametrize("d", [0, -1, 1.5])
def test_bad_dimensions(d):
    for make in (landscapes.ackley, landscapes.rastrigin, landscapes.styblinski_tang):
        with pytest.raises(ValueError, match=f"d={d} is not allowed"):
            make(d)
