from collections.abc import Callable

from ..core import array_namespace, device
from ..core.options import LARGEST, at_least_0, function, positive, whole
from ..core.rule import floating
from ._vectors import dot, largest, value_at, vector


def newton_direction(g, h, damping=0.0):
    """The step to the stationary point of the local parabola: the d that solves (h + damping I) d = -g.

    With a large damping it is the gradient step -g / damping. g: (d,), the gradient; h: (d, d), the Hessian.
    Raises ValueError on other shapes, inf or NaN, a negative damping; a singular matrix raises what the
    array library raises.
    PyTorch: torch.linalg.solve.   Source: Nocedal and Wright 2006, equation 2.15; Levenberg 1944 for the damping.
    """
    at_least_0(damping=damping)
    vector(g=g)
    _square(g, h)
    d = g.shape[0]
    xp = array_namespace(g, h)
    return -xp.linalg.solve(h + damping * xp.eye(d, dtype=g.dtype, device=device(g)), g)


def _square(g, h) -> None:
    floating(h=h)
    d = g.shape[0]
    if tuple(h.shape) != (d, d):
        raise ValueError(f"h must be shaped {(d, d)} for this gradient, got {tuple(h.shape)}")


def newton(gradient: Callable, hessian: Callable, theta, steps=20, damping=0.0, tolerance_grad=1e-10) -> list:
    """Newton's method: full steps theta <- theta - (H + damping I)^-1 g, each point kept.

    It needs one step on a convex quadratic, and near a minimum the digits double with each step. With damping = 0
    it looks for any stationary point: a saddle or a maximum attracts it as a minimum does.
    Stops after `steps` or where every |g| <= tolerance_grad. theta: (d,). Errors as in newton_direction.
    PyTorch: none.   Source: Nocedal and Wright 2006, section 3.3.
    """
    vector(theta=theta)
    whole(steps=steps)
    at_least_0(tolerance_grad=tolerance_grad, damping=damping)
    function(gradient=gradient, hessian=hessian)
    path = [theta]
    for _ in range(steps):
        g = gradient(path[-1])
        if largest(g) <= tolerance_grad:
            break
        path.append(path[-1] + newton_direction(g, hessian(path[-1]), damping))
    return path


def damped_newton(
    value: Callable,
    gradient: Callable,
    hessian: Callable,
    theta,
    steps=100,
    damping=1e-3,
    c1=1e-4,
    tolerance_grad=1e-10,
) -> list:
    """Newton's method that only goes down: damping is raised tenfold until the step lowers the value enough.

    (H + damping D) d = -g,   H + damping D positive definite and value(theta + d) <= value(theta) + c1 g.d
    D = the diagonal of |H|, 1 where that is 0

    After each step damping is divided by 10. Thanks to D the path is the same in all units: where a number of theta
    is measured in thousandths, its path is a thousand times as long.

    Between Newton's step (small damping) and a short step against the gradient (large), so it leaves saddles, unless
    it starts exactly on one: there g = 0 and it stays. Stops after `steps`, where every |g| <= tolerance_grad, or
    where rounding hides every descent. theta: (d,). Raises ValueError as newton_direction, and on damping = 0.
    PyTorch: none.   Source: Levenberg 1944; Marquardt 1963 for D; Goldfeld, Quandt and Trotter 1966.
    """
    vector(theta=theta)
    whole(steps=steps)
    at_least_0(tolerance_grad=tolerance_grad, c1=c1)
    positive(damping=damping)  # it grows by multiplication
    function(value=value, gradient=gradient, hessian=hessian)
    path = [theta]
    for _ in range(steps):
        g = gradient(path[-1])
        if largest(g) <= tolerance_grad:
            break
        found = _descend(value, path[-1], g, hessian(path[-1]), damping, c1)
        if found is None:
            break
        theta, damping = found
        path.append(theta)
    return path


def _descend(value, theta, g, h, damping, c1):
    """The first point that is low enough, and the damping for the next step; None where there is none."""
    xp = array_namespace(h)
    vector(g=g)
    _square(g, h)
    unit = _units(h)  # of each number of theta: measured in them, D is I
    g, h = g * unit, h * unit[:, None] * unit[None, :]
    lowest, here = float(xp.min(xp.linalg.eigvalsh(h))), value_at(value, theta)
    while damping < LARGEST:
        if damping > -lowest:
            d = newton_direction(g, h, damping)
            there = theta + d * unit
            if bool(xp.all(there == theta)):
                return None
            if value_at(value, there) <= here + c1 * dot(g, d):
                return there, max(damping / 10, 1e-12)
        damping *= 10
    return None


def _units(h):
    """1 / sqrt(|H_ii|), and 1 where H_ii is 0: the length over which the value changes by its own unit."""
    xp = array_namespace(h)
    diagonal = xp.abs(xp.linalg.diagonal(h))
    return 1 / xp.sqrt(xp.where(diagonal > 0, diagonal, xp.ones_like(diagonal)))
