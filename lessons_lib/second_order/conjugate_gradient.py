import math
from collections.abc import Callable

from ..core import array_namespace, same_shape
from ..core.options import at_least_0, function, whole
from ._vectors import dot, largest, vector
from .line_search import along, check_wolfe, first_point, strong_wolfe


def conjugate_gradient(matvec: Callable, b, x=None, steps=None, tolerance=1e-10) -> list:
    """Solve A x = b, A symmetric and positive definite, from products matvec(p) = A p alone; each x kept.

    step = r.r / p.Ap,   x <- x + step p,   r <- r - step A p,   p <- r + (new r.r / old r.r) p

    r = b - A x is what is left, p the direction; the p are A-orthogonal, so in exact arithmetic it ends after as
    many steps as A has different eigenvalues, d at most. Starts at 0 or x, stops after `steps` (default d) or
    where ||r|| <= tolerance ||b||. b, x: (d,). Raises ValueError where p.Ap <= 0: A is not positive definite.
    PyTorch: none.   Source: Hestenes and Stiefel 1952; Nocedal and Wright 2006, Algorithm 5.2.
    """
    vector(b=b)
    x = array_namespace(b).zeros_like(b) if x is None else x
    vector(x=x)
    same_shape(b=b, x=x)
    steps = b.shape[0] if steps is None else steps
    whole(steps=steps)
    at_least_0(tolerance=tolerance)
    function(matvec=matvec)
    r = b - matvec(x)
    same_shape(b=b, **{"matvec(x)": r})
    p, path = r, [x]
    for _ in range(steps):
        rr = dot(r, r)
        if math.sqrt(rr) <= tolerance * math.sqrt(dot(b, b)):
            break
        ap = matvec(p)
        if not dot(p, ap) > 0:
            raise ValueError(f"matvec is not positive definite: p.Ap={dot(p, ap)} in a direction p; it must be > 0")
        step = rr / dot(p, ap)
        path.append(path[-1] + step * p)
        r = r - step * ap
        p = r + (dot(r, r) / rr) * p
    return path


def fletcher_reeves(g, old) -> float:
    """g.g / old.old: the share of the last direction that is kept. Source: Fletcher and Reeves 1964."""
    below = _squared(g, old)
    return dot(g, g) / below


def polak_ribiere_plus(g, old) -> float:
    """max(0, g.(g - old) / old.old): after a step without progress, g = old, it forgets the last direction.

    Source: Polak and Ribiere 1969; Powell 1986 for the maximum with 0.
    """
    below = _squared(g, old)
    return max(0.0, dot(g, g - old) / below)


def _squared(g, old) -> float:
    vector(g=g, old=old)
    same_shape(g=g, old=old)
    if not dot(old, old) > 0:
        raise ValueError("old must not be 0: the gradient before has no length to compare with")
    return dot(old, old)


def nonlinear_cg(
    value: Callable, gradient: Callable, theta, beta=polak_ribiere_plus, steps=200, c2=0.1, tolerance_grad=1e-6
) -> list:
    """Conjugate gradients on any smooth function, each point kept.

    p <- -g + beta(g, old g) p,   theta <- theta + step p

    step comes from `strong_wolfe` with c1 = 1e-4 and c2; its first trial is the length that would change the value
    as much as the last step did. On a quadratic with exact steps both betas give the linear method. A direction
    that does not go down is replaced by -g. Stops after `steps`, where every |g| <= tolerance_grad, or where the
    line search finds nothing lower. theta: (d,), float32 or float64. Raises ValueError on a start that is not
    finite, or not finite there, and on c2 outside (1e-4, 1); Fletcher-Reeves is only safe with c2 < 1/2.
    PyTorch: none.   Source: Nocedal and Wright 2006, Algorithm 5.4; first step: section 3.5.
    """
    vector(theta=theta)
    whole(steps=steps)
    at_least_0(tolerance_grad=tolerance_grad)
    check_wolfe(1e-4, c2)
    function(beta=beta)
    now, path = first_point(value, gradient, theta), [theta]
    p = -now.g
    change = -dot(p, p) / max(1.0, largest(p))
    for _ in range(steps):
        if largest(now.g) <= tolerance_grad:
            break
        p = p if dot(now.g, p) < 0 else -now.g
        start = now._replace(step=0.0, slope=dot(now.g, p))
        now = strong_wolfe(along(value, gradient, path[-1], p), start, change / start.slope, c2=c2)
        if not now.value < start.value:
            break
        path.append(path[-1] + now.step * p)
        p = -now.g + beta(now.g, start.g) * p
        change = now.step * start.slope
    return path
