"""Newton, conjugate gradients and L-BFGS: against PyTorch where it has them, and what they promise on paper."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from arrays import INTO, back
from torch.optim.lbfgs import _strong_wolfe as torch_strong_wolfe

from lessons_lib import landscapes
from lessons_lib.second_order import (
    Point,
    along,
    conjugate_gradient,
    damped_newton,
    fletcher_reeves,
    lbfgs,
    newton,
    newton_direction,
    nonlinear_cg,
    polak_ribiere_plus,
    strong_wolfe,
    two_loop,
)

ROSENBROCK, START = landscapes.rosenbrock(), np.array([-1.2, 1.0])
LIBRARIES = list(INTO)


def positive_definite(d, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(d, d))
    return a @ a.T / d + 0.5 * np.eye(d), rng.normal(size=d)


def parabola(a, b):
    """x.A x / 2 - b.x, for any array library: value, gradient, hessian."""
    return lambda x: (x @ (a @ x)) / 2 - b @ x, lambda x: a @ x - b, lambda x: a


# Newton


@pytest.mark.parametrize("library", LIBRARIES)
def test_newton_needs_one_step_on_a_quadratic(library):
    a, b = positive_definite(6)
    value, gradient, hessian = parabola(*(INTO[library](m) for m in (a, b)))
    theta = INTO[library](np.ones(6))
    path = newton(gradient, hessian, theta)
    assert len(path) == 2 and type(path[1]) is type(theta) and path[1].dtype == theta.dtype
    np.testing.assert_allclose(back(path[1]), np.linalg.solve(a, b), rtol=1e-12)
    down = damped_newton(value, gradient, hessian, theta)
    np.testing.assert_allclose(back(down[-1]), np.linalg.solve(a, b), rtol=1e-9)
    np.testing.assert_array_equal(back(theta), np.ones(6))


def test_newton_doubles_the_digits():
    hill = landscapes.himmelblau()
    path = newton(hill.gradient, hill.hessian, np.array([3.2, 2.2]), tolerance_grad=0.0, steps=5)
    errors = [np.abs(x - [3, 2]).max() for x in path]
    assert errors[-1] < 1e-14 and all(b < a**2 or b < 1e-14 for a, b in pairwise(errors))


def test_the_damping_turns_newtons_step_into_a_gradient_step():
    a, g = positive_definite(4)
    np.testing.assert_allclose(newton_direction(g, a), -np.linalg.solve(a, g))
    np.testing.assert_allclose(newton_direction(g, a, 1e9), -g / 1e9, rtol=1e-6)
    np.testing.assert_allclose((a + 0.7 * np.eye(4)) @ newton_direction(g, a, 0.7), -g)
    slow = newton(lambda x: a @ x, lambda x: a, g, steps=4, damping=2.0)  # each step: theta <- 2 (A + 2 I)^-1 theta
    np.testing.assert_allclose(slow[4], np.linalg.matrix_power(2 * np.linalg.inv(a + 2 * np.eye(4)), 4) @ g)


def test_pure_newton_goes_to_the_saddle_and_damped_newton_goes_down():
    camel, start = landscapes.six_hump_camel(), np.array([0.1, 0.05])
    pure = newton(camel.gradient, camel.hessian, start)[-1]
    assert np.abs(camel.gradient(pure)).max() < 1e-9 and np.linalg.eigvalsh(camel.hessian(pure)).min() < -1
    path = damped_newton(camel.value, camel.gradient, camel.hessian, start)
    values = [camel.value(x) for x in path]
    assert all(b <= a for a, b in pairwise(values)) and values[10] < values[0]
    assert values[-1] == pytest.approx(camel.lowest) and np.abs(camel.gradient(path[-1])).max() < 1e-10
    on_it = damped_newton(camel.value, camel.gradient, camel.hessian, np.zeros(2))
    assert len(on_it) == 1  # no slope says where down is


@pytest.mark.parametrize(
    "name", ["rosenbrock", "himmelblau", "styblinski_tang", "three_hump_camel", "goldstein_price", "booth"]
)
def test_damped_newton_ends_in_a_minimum(name):
    hill, rng = getattr(landscapes, name)(), np.random.default_rng(1)
    for _ in range(10):
        end = damped_newton(hill.value, hill.gradient, hill.hessian, rng.uniform(-0.9, 0.9, size=2))[-1]
        assert np.abs(hill.gradient(end)).max() < 1e-6 and np.linalg.eigvalsh(hill.hessian(end)).min() > 0


def test_damped_newton_stops_where_nothing_is_lower():
    wrong = damped_newton(lambda x: float(x @ x), lambda x: -x, lambda x: np.eye(2), np.ones(2))  # an uphill "gradient"
    assert len(wrong) == 1


# Misra1a of the NIST Statistical Reference Datasets for nonlinear regression: y = b1 (1 - exp(-b2 x)); its start 1
# and its certified values, the residual sum of squares last.
X = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
Y = np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78])
MISRA1A_START, MISRA1A, MISRA1A_RSS = np.array([500, 1e-4]), [2.3894212918e2, 5.5015643181e-4], 1.2455138894e-1


def misra1a(unit):
    """Half the sum of squares, its gradient and its Hessian, with the parameters b / unit."""

    def parts(theta):
        b1, b2 = theta * unit
        e = np.exp(-b2 * X)
        return b1 * (1 - e) - Y, np.stack([1 - e, b1 * X * e]), X * e, b1

    def hessian(theta):
        r, slopes, xe, b1 = parts(theta)
        bent = np.array([[0, r @ xe], [r @ xe, -b1 * (r @ (X * xe))]])
        return (slopes @ slopes.T + bent) * np.outer(unit, unit)

    def gradient(theta):
        r, slopes, *_ = parts(theta)
        return slopes @ r * unit

    return lambda theta: (parts(theta)[0] ** 2).sum() / 2, gradient, hessian


def test_damped_newton_reaches_nists_certified_values():
    value, gradient, hessian = misra1a(np.ones(2))
    end = damped_newton(value, gradient, hessian, MISRA1A_START)[-1]
    np.testing.assert_allclose([*end, 2 * value(end)], [*MISRA1A, MISRA1A_RSS], rtol=1e-9)


@pytest.mark.parametrize("unit", [(1e3, 1e-6), (1e-8, 1e8)])
def test_damped_newton_takes_the_same_path_in_other_units(unit):
    one, unit = np.ones(2), np.array(unit)
    path = damped_newton(*misra1a(one), MISRA1A_START, steps=40, tolerance_grad=0.0)
    other = damped_newton(*misra1a(unit), MISRA1A_START / unit, steps=40, tolerance_grad=0.0)
    np.testing.assert_allclose(np.array(other) * unit, path, rtol=1e-9)


def test_damped_newton_without_a_curvature_to_measure_by():
    plane = damped_newton(lambda x: -x.sum(), lambda x: -np.ones(2), lambda x: np.zeros((2, 2)), np.zeros(2), steps=3)
    assert len(plane) == 4 and np.all(np.diff(plane, axis=0) > 0)
    saddle = damped_newton(
        lambda x: x[0] * x[1], lambda x: x[::-1], lambda x: np.eye(2)[::-1], np.array([1, 0.5]), steps=10
    )
    assert saddle[-1].prod() < 0  # the diagonal of its Hessian is 0 everywhere


# Linear conjugate gradients


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("d", [1, 2, 8])
def test_conjugate_gradient_ends_in_d_steps(library, d):
    a, b = positive_definite(d)
    m, c = INTO[library](a), INTO[library](b)
    path = conjugate_gradient(lambda p: m @ p, c)
    assert len(path) == d + 1 and type(path[-1]) is type(c) and path[-1].dtype == c.dtype
    np.testing.assert_allclose(back(path[-1]), np.linalg.solve(a, b), rtol=1e-9)
    errors = [back(x) - np.linalg.solve(a, b) for x in path]
    energies = [e @ a @ e for e in errors]
    assert all(f < e for e, f in pairwise(energies))
    np.testing.assert_array_equal(back(c), b)


def test_as_many_steps_as_different_eigenvalues():
    a = np.diag([1.0, 1, 1, 7, 7, 30])
    assert len(conjugate_gradient(lambda p: a @ p, np.arange(1.0, 7))) == 4


def test_residuals_are_orthogonal_and_steps_conjugate():
    a, b = positive_definite(6)
    path = np.array(conjugate_gradient(lambda p: a @ p, b, x=np.ones(6)))
    r, s = b - path @ a.T, np.diff(path, axis=0)
    np.testing.assert_allclose(np.tril(r[:-1] @ r[:-1].T, -1), 0, atol=1e-11)
    np.testing.assert_allclose(np.tril(s @ a @ s.T, -1), 0, atol=1e-11)
    first = (r[0] @ r[0]) / (r[0] @ a @ r[0]) * r[0]
    np.testing.assert_allclose(s[0], first, rtol=1e-13)


def test_conjugate_gradient_has_nothing_to_do():
    assert len(conjugate_gradient(lambda p: p, np.zeros(3))) == 1
    a, b = positive_definite(3)
    assert len(conjugate_gradient(lambda p: a @ p, b, x=np.linalg.solve(a, b))) == 1
    assert len(conjugate_gradient(lambda p: a @ p, b, steps=2)) == 3


# The line search


def wolfe(point, start, c1=1e-4, c2=0.9):
    return point.value <= start.value + c1 * point.step * start.slope and abs(point.slope) <= -c2 * start.slope


@pytest.mark.parametrize("step", [1e-6, 0.1, 1.0, 50.0, 1e4])
@pytest.mark.parametrize("c2", [0.1, 0.9])
@pytest.mark.parametrize("name", ["rosenbrock", "himmelblau", "six_hump_camel", "rastrigin", "booth"])
def test_both_wolfe_conditions_hold(name, step, c2):
    hill, rng = getattr(landscapes, name)(), np.random.default_rng(2)
    for _ in range(10):
        theta = rng.uniform(-2, 2, size=2)
        line = along(hill.value, hill.gradient, theta, -hill.gradient(theta))
        found = strong_wolfe(line, line(0.0), step, c2=c2, evals=100)
        assert wolfe(found, line(0.0), c2=c2) and found.step > 0
        assert found.value == line(found.step).value


WAVES = landscapes.Landscape(  # falling and wavy: a later trial may be higher and still lead down
    lambda p: np.sum(np.sin(3 * p) - 0.5 * p),
    lambda p: 3 * np.cos(3 * p) - 0.5,
    lambda p: np.diag(-9 * np.sin(3 * p)),
    (),
)


@pytest.mark.parametrize("evals", [1, 4, 25])
@pytest.mark.parametrize("name", ["rosenbrock", "rastrigin", "six_hump_camel", "goldstein_price", "ackley", "waves"])
def test_the_trial_steps_are_pytorchs(name, evals):
    hill = WAVES if name == "waves" else getattr(landscapes, name)()
    rng, compared = np.random.default_rng(6), 0
    for k in range(150):
        theta = rng.uniform(-3, 3, size=2)
        tried: list[float] = []
        seen: list[float] = []
        d = -hill.gradient(theta) * rng.uniform(0.2, 1.8, size=2)

        def evaluate(x, t, d, tried=tried):
            tried.append(float(t))
            p = (x + t * d).numpy()
            return float(hill.value(p)), torch.tensor(hill.gradient(p))

        start, step, c2 = (
            along(hill.value, hill.gradient, theta, d)(0.0),
            10 ** rng.uniform(-5, 1),
            (0.9, 0.1, 0.01)[k % 3],
        )
        tolerance = (0.0, 1e-2)[k % 2] + 1e-9
        x, direction, g = map(torch.tensor, (theta, d, start.g))
        *_, end, _ = torch_strong_wolfe(
            evaluate,
            x,
            step,
            direction,
            start.value,
            g,
            g.dot(direction),
            c2=c2,
            tolerance_change=tolerance,
            max_ls=evals,
        )

        def line(t, seen=seen, theta=theta, d=d):
            seen.append(t)
            return along(hill.value, hill.gradient, theta, d)(t)

        found = strong_wolfe(line, start, step, c2=c2, shortest=tolerance / np.abs(d).max(), evals=evals)
        # A cubic through two trials that nearly coincide magnifies rounding: compare up to the first such pair.
        close = [i for i, (a, b) in enumerate(pairwise(tried)) if abs(b - a) < 1e-3 * b]
        n = close[0] + 2 if close else None
        np.testing.assert_allclose(seen[:n], tried[:n], rtol=1e-6)
        if not close:
            assert len(seen) == len(tried) and found.step == pytest.approx(float(end), rel=1e-6)
            compared += 1
    assert compared > 75


def test_line_search_meets_inf_and_nan():
    log = along(
        lambda x: x[0] - math.log(x[0]) if x[0] > 0 else math.nan, lambda x: 1 - 1 / x, np.full(1, 3.0), -np.ones(1)
    )
    found = strong_wolfe(log, log(0.0), step=100.0)  # far outside, where there is no value
    assert wolfe(found, log(0.0))
    cliff = along(lambda x: -x[0] if x[0] < 1 else math.inf, lambda x: -np.ones(1), np.zeros(1), np.ones(1))
    found = strong_wolfe(cliff, cliff(0.0), evals=30)  # no point has a small slope: the lowest one seen
    assert 0.5 < found.step < 1 and found.value == -found.step


def test_the_second_trial_may_be_higher_than_the_first_as_in_pytorch():
    values = [-0.5, -0.4, -9.0]
    tried: list[float] = []
    theirs: list[float] = []

    def line(step):
        tried.append(step)
        return Point(step, values[len(tried) - 1], 0.0 if len(tried) == 3 else -0.6, np.ones(1))

    def evaluate(x, t, d):
        theirs.append(float(t))
        return values[len(theirs) - 1], torch.tensor([0.0 if len(theirs) == 3 else -0.6]).double()

    strong_wolfe(line, Point(0.0, 0.0, -1.0, np.ones(1)), c2=0.1)
    one = torch.ones(1).double()
    torch_strong_wolfe(evaluate, one, 1.0, one, 0.0, -one, torch.tensor(-1.0).double(), c2=0.1)
    assert tried == pytest.approx(theirs) and tried[2] > tried[1] > tried[0]  # it still looks further out


def test_line_search_gives_up_in_time():
    asked = []

    def line(step):
        asked.append(step)
        return Point(step, -step, -1.0, np.ones(1))  # down for ever

    found = strong_wolfe(line, Point(0.0, 0.0, -1.0, np.ones(1)), evals=6)
    assert len(asked) == 7 and found.step == asked[-1]
    wall = lambda step: Point(step, 1.0 if step else 0.0, -1.0, np.ones(1))  # noqa: E731
    assert strong_wolfe(wall, wall(0.0), evals=10).step == 0.0  # nothing lower: it stays


# L-BFGS and nonlinear conjugate gradients


def rosenbrock_in_torch(p):
    return ((1 - p[:-1]) ** 2 + 100 * (p[1:] - p[:-1] ** 2) ** 2).sum()


def torch_lbfgs(f, start, steps, **options):
    p = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.LBFGS([p], max_iter=1, max_eval=10**6, **options)
    path = [start]

    def closure():
        optimizer.zero_grad()
        loss = f(p)
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
        path.append(p.detach().numpy().copy())
    return np.array(path)


def from_torch(f):
    """value and gradient of a torch function, on NumPy arrays."""

    def gradient(x):
        p = torch.tensor(x, requires_grad=True)
        f(p).backward()
        return p.grad.numpy()

    return lambda x: f(torch.tensor(x)).item(), gradient


A, B = positive_definite(12, seed=4)
TARGETS = {
    "rosenbrock": (rosenbrock_in_torch, START),
    "rosenbrock in 6": (rosenbrock_in_torch, np.array([-1.2, 1.0, 0.7, -0.5, 1.3, 0.2])),
    "quadratic": (lambda p: p @ torch.tensor(A) @ p / 2 - torch.tensor(B) @ p, np.ones(12)),
    "flat quadratic": (lambda p: (torch.tensor([0.03, 0.01]).double() * p**2).sum(), np.array([3.0, -4.0])),
    "steep quadratic": (lambda p: (torch.tensor([1.0, 1e3, 1e-2]).double() * p**2).sum(), np.array([1.0, -2.0, 3.0])),
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(
    "options",
    [{}, {"history_size": 2}, {"lr": 0.3}, {"lr": 5.0}, {"line_search_fn": None, "lr": 0.1},
     {"line_search_fn": None, "lr": 0.02, "history_size": 3}],
    ids=str,
)  # fmt: skip
def test_the_iterates_are_pytorchs(name, options):
    f, start = TARGETS[name]
    options = {"line_search_fn": "strong_wolfe", **options}
    ours = {"lr": options.get("lr", 1.0), "history": options.get("history_size", 100)}
    value, gradient = from_torch(f)
    path = lbfgs(value, gradient, start, 40, line_search=options["line_search_fn"] is not None, max_evals=10**6, **ours)
    theirs = torch_lbfgs(f, start, 40, **options)
    n = min(len(path), 16)  # later the rounding has grown
    assert n > 3
    np.testing.assert_allclose(np.array(path[:n]), theirs[:n], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("max_evals", [None, 3, 9, 200])
@pytest.mark.parametrize("steps", [1, 5, 20, 100])
@pytest.mark.parametrize("line_search", [True, False])
def test_it_stops_where_one_step_of_pytorch_stops(steps, max_evals, line_search):
    options: dict = {"lr": 1.0 if line_search else 0.05, "tolerance_grad": 1e-3, "tolerance_change": 1e-7}
    p = torch.tensor(START, requires_grad=True)
    fn = "strong_wolfe" if line_search else None
    optimizer = torch.optim.LBFGS([p], max_iter=steps, max_eval=max_evals, line_search_fn=fn, **options)

    def closure():
        optimizer.zero_grad()
        loss = rosenbrock_in_torch(p)
        loss.backward()
        return loss

    optimizer.step(closure)
    value, gradient = from_torch(rosenbrock_in_torch)
    path = lbfgs(value, gradient, START, steps, line_search=line_search, max_evals=max_evals, **options)
    np.testing.assert_allclose(path[-1], p.detach().numpy(), rtol=1e-6)
    assert len(path) - 1 == optimizer.state[p]["n_iter"]


@pytest.mark.parametrize("max_evals", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("line_search", [True, False])
@pytest.mark.parametrize("start", [(-1.2, 1.0), (3.0, -4.0)])
def test_it_asks_for_max_evals_values_and_no_more(start, line_search, max_evals):
    asked = []

    def value(x):
        asked.append(x)
        return ROSENBROCK.value(x)

    options = {"lr": 1.0 if line_search else 1e-3, "line_search": line_search, "max_evals": max_evals}
    lbfgs(value, ROSENBROCK.gradient, np.array(start), **options)
    assert len(asked) == max_evals  # PyTorch's line search asks for one more


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("method", [lbfgs, nonlinear_cg])
def test_on_every_array_library(method, library):
    value, gradient, _ = parabola(*(INTO[library](m) for m in (A, B)))
    theta = INTO[library](np.ones(12))
    path = method(value, gradient, theta, steps=60)
    np.testing.assert_allclose(back(path[-1]), np.linalg.solve(A, B), atol=1e-5)
    assert type(path[-1]) is type(theta) and path[-1].dtype == theta.dtype
    np.testing.assert_array_equal(back(theta), np.ones(12))


def test_single_precision_stays():
    a, b = torch.as_tensor(A, dtype=torch.float32), torch.as_tensor(B, dtype=torch.float32)
    value, gradient, hessian = parabola(a, b)
    theta, solution = torch.ones(12), torch.linalg.solve(a, b)
    for path in (lbfgs(value, gradient, theta), nonlinear_cg(value, gradient, theta), newton(gradient, hessian, theta)):
        assert path[-1].dtype == torch.float32
        torch.testing.assert_close(path[-1], solution, atol=1e-3, rtol=0)


@pytest.mark.parametrize("method", [lbfgs, nonlinear_cg])
@pytest.mark.parametrize("start", [(-1.2, 1.0), (3.0, -4.0), (0.0, 0.0)])
def test_rosenbrock_is_solved_downhill_all_the_way(method, start):
    path = method(ROSENBROCK.value, ROSENBROCK.gradient, np.array(start), steps=200)
    values = [ROSENBROCK.value(x) for x in path]
    assert all(b < a for a, b in pairwise(values)) and len(path) < 80
    np.testing.assert_allclose(path[-1], [1, 1], atol=1e-4)


def test_the_two_loops_are_the_bfgs_matrix():
    rng, d = np.random.default_rng(5), 5
    pairs = [(s, A[:d, :d] @ s) for s in rng.normal(size=(4, d))]
    s, y = pairs[-1]
    inverse = np.eye(d) * (s @ y) / (y @ y)
    for s, y in pairs:  # Nocedal and Wright, equation 6.17
        v = np.eye(d) - np.outer(y, s) / (s @ y)
        inverse = v.T @ inverse @ v + np.outer(s, s) / (s @ y)
    g = rng.normal(size=d)
    np.testing.assert_allclose(two_loop(g, pairs), -inverse @ g, rtol=1e-11)
    np.testing.assert_allclose(two_loop(y, pairs), -s, rtol=1e-11)  # the newest pair holds exactly
    np.testing.assert_array_equal(two_loop(g, []), -g)


def test_a_pair_without_curvature_is_left_out():
    value, gradient = from_torch(lambda p: -p.sum())  # a plane: y is 0
    path = lbfgs(value, gradient, np.zeros(2), steps=4, lr=0.1, line_search=False)
    np.testing.assert_allclose(np.diff(path, axis=0), np.array([[0.05] * 2, [0.1] * 2, [0.1] * 2, [0.1] * 2]))


@pytest.mark.parametrize("beta", [fletcher_reeves, polak_ribiere_plus])
def test_nonlinear_is_linear_on_a_quadratic_with_exact_steps(beta):
    a, b = positive_definite(5)
    value, gradient, _ = parabola(a, b)
    path = nonlinear_cg(value, gradient, np.ones(5), beta=beta, c2=1.01e-4)
    linear = conjugate_gradient(lambda p: a @ p, b, x=np.ones(5))
    np.testing.assert_allclose(path[:4], linear[:4], atol=2e-3)
    np.testing.assert_allclose(path[-1], linear[-1], atol=1e-6)


def test_the_two_betas():
    g, old = np.array([1.0, 2.0]), np.array([2.0, 1.0])
    assert fletcher_reeves(g, old) == 1.0 and polak_ribiere_plus(g, old) == pytest.approx(1 / 5)
    assert polak_ribiere_plus(old, old) == 0 and polak_ribiere_plus(0.5 * old, old) == 0  # (g - old) points against g
    assert polak_ribiere_plus(np.array([1.0, -2.0]), old) == fletcher_reeves(np.array([1.0, -2.0]), old)  # orthogonal


def test_fletcher_reeves_gets_there_slower():
    fast, slow = (
        nonlinear_cg(ROSENBROCK.value, ROSENBROCK.gradient, START, beta=b)
        for b in (polak_ribiere_plus, fletcher_reeves)
    )
    np.testing.assert_allclose(slow[-1], [1, 1], atol=1e-5)
    assert len(slow) > len(fast)


# Bad input

BAD = [
    (lambda: newton_direction(np.ones(2), np.ones((3, 3))), ValueError, r"h must be shaped \(2, 2\)"),
    (lambda: newton_direction(np.ones(2), np.eye(2), -1.0), ValueError, "damping=-1.0"),
    (lambda: newton_direction(np.array([np.nan, 1]), np.eye(2)), ValueError, "g must be finite"),
    (lambda: newton_direction(np.ones(2), np.zeros((2, 2))), np.linalg.LinAlgError, "Singular"),
    (lambda: newton(abs, abs, np.ones((2, 2))), ValueError, r"theta must be shaped \(d,\), got \(2, 2\)"),
    (lambda: newton(abs, abs, np.ones(2, dtype=int)), TypeError, "theta must be a floating"),
    (lambda: newton(abs, abs, np.ones(2, dtype=np.float16)), TypeError, "float32 or float64"),
    (lambda: damped_newton(abs, abs, abs, np.ones(2), damping=0.0), ValueError, "damping=0.0"),
    (lambda: damped_newton(abs, abs, abs, np.ones(2), steps=-1), ValueError, "steps=-1"),
    (lambda: conjugate_gradient(lambda p: -p, np.ones(2)), ValueError, "not positive definite"),
    (lambda: conjugate_gradient(lambda p: 0 * p, np.ones(2)), ValueError, "not positive definite"),
    (lambda: conjugate_gradient(abs, np.array([1.0, np.inf])), ValueError, "b must be finite"),
    (lambda: conjugate_gradient(abs, np.ones(2), x=np.ones(3)), ValueError, r"b \(2,\), x \(3,\)"),
    (lambda: conjugate_gradient(abs, np.ones(2), tolerance=-1), ValueError, "tolerance=-1"),
    (lambda: strong_wolfe(abs, Point(0.0, 1.0, 1.0, None)), ValueError, "start.slope=1.0 must be < 0"),
    (lambda: strong_wolfe(abs, Point(0.0, 1.0, math.nan, None)), ValueError, "start.slope=nan"),
    (lambda: strong_wolfe(abs, Point(0.0, 1.0, -1.0, None), step=0.0), ValueError, "step=0.0"),
    (lambda: strong_wolfe(abs, Point(0.0, 1.0, -1.0, None), c2=1e-5), ValueError, "c2=1e-05"),
    (lambda: lbfgs(ROSENBROCK.value, ROSENBROCK.gradient, np.array([np.nan, 1])), ValueError, "theta must be finite"),
    (lambda: lbfgs(lambda x: math.nan, ROSENBROCK.gradient, START), ValueError, r"value\(theta\) is nan"),
    (lambda: lbfgs(ROSENBROCK.value, lambda x: x * np.inf, START), ValueError, r"gradient\(theta\) must be finite"),
    (lambda: lbfgs(ROSENBROCK.value, lambda x: np.ones(3), START), ValueError, r"gradient\(theta\) \(3,\)"),
    (lambda: lbfgs(ROSENBROCK.value, ROSENBROCK.gradient, START, history=0), ValueError, "history=0"),
    (lambda: lbfgs(ROSENBROCK.value, ROSENBROCK.gradient, START, lr=-1.0), ValueError, "lr=-1.0"),
    (lambda: nonlinear_cg(lambda x: math.inf, ROSENBROCK.gradient, START), ValueError, r"value\(theta\) is inf"),
    (lambda: nonlinear_cg(ROSENBROCK.value, ROSENBROCK.gradient, START, c2=2.0), ValueError, "c2=2.0"),
    (lambda: nonlinear_cg(abs, abs, START[None]), ValueError, r"theta must be shaped \(d,\)"),
]


@pytest.mark.parametrize(("call", "error", "says"), BAD)
def test_bad_input(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_at_a_minimum_nothing_moves():
    one = np.ones(2)
    assert len(lbfgs(ROSENBROCK.value, ROSENBROCK.gradient, one)) == 1
    assert len(nonlinear_cg(ROSENBROCK.value, ROSENBROCK.gradient, one)) == 1
    assert len(newton(ROSENBROCK.gradient, ROSENBROCK.hessian, one)) == 1
    assert len(lbfgs(ROSENBROCK.value, ROSENBROCK.gradient, START, steps=0)) == 1
