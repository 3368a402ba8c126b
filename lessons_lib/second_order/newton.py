import math
from collections.abc import Callable

from ..core import array_namespace, at_least_0, device
from ._vectors import dot, largest, vector


def newton_direction(g, h, damping=0.0):
    """The step to the stationary point of the local parabola: the d that solves (h + damping I) d = -g.

    With a large damping it is the gradient step -g / damping. g: (d,), the gradient; h: (d, d), the Hessian.
    Raises ValueError on other shapes, inf or NaN, a negative damping; a singular matrix raises what the
    array library raises.
    PyTorch: torch.linalg.solve.   Source: Nocedal and Wright 2006, equation 2.15; Levenberg 1944 for the damping.
    """
    at_least_0(damping=damping)
    vector(g=g)
    d = g.shape[0]
    if tuple(h.shape) != (d, d):
        raise ValueError(f"h must be shaped {(d, d)} for this gradient, got {tuple(h.shape)}")
    xp = array_namespace(g, h)
    return -xp.linalg.solve(h + damping * xp.eye(d, dtype=g.dtype, device=device(g)), g)


def newton(gradient: Callable, hessian: Callable, theta, steps=20, damping=0.0, tolerance_grad=1e-10) -> list:
    """Newton's method: full steps theta <- theta - (H + damping I)^-1 g, each point kept.

    It needs one step on a convex quadratic, and near a minimum the digits double with each step. With damping = 0
    it looks for any stationary point: a saddle or a maximum attracts it as a minimum does.
    Stops after `steps` or where every |g| <= tolerance_grad. theta: (d,). Errors as in newton_direction.
    PyTorch: none.   Source: Nocedal and Wright 2006, section 3.3.
    """
    vector(theta=theta)
    at_least_0(steps=steps, tolerance_grad=tolerance_grad)
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

    (H + damping I) d = -g,   H + damping I positive definite and value(theta + d) <= value(theta) + c1 g.d

    After each step damping is divided by 10.

    Between Newton's step (small damping) and a short gradient step (large), so it leaves saddles, unless it
    starts exactly on one: there g = 0 and it stays. Stops after `steps`, where every |g| <= tolerance_grad, or
    where rounding hides every descent. theta: (d,). Raises ValueError as newton_direction, and on damping = 0.
    PyTorch: none.   Source: Levenberg 1944; Marquardt 1963; Goldfeld, Quandt and Trotter 1966.
    """
    vector(theta=theta)
    at_least_0(steps=steps, tolerance_grad=tolerance_grad, c1=c1)
    if not 0 < damping < math.inf:
        raise ValueError(f"damping={damping} is not allowed; it must be finite and > 0, it grows by multiplication")
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
    lowest, here = float(xp.min(xp.linalg.eigvalsh(h))), float(value(theta))
    while damping < 1e15 * (1 + largest(g)):
        if damping > -lowest:
            d = newton_direction(g, h, damping)
            if float(value(theta + d)) <= here + c1 * dot(g, d):
                return theta + d, max(damping / 10, 1e-12)
        damping *= 10
    return None
