import reprlib
from collections.abc import Callable

from ..core import array_namespace, same_shape
from ..core.options import at_least_0, flag, function, positive, whole
from ._vectors import dot, largest, vector
from .line_search import along, first_point, strong_wolfe


def two_loop(g, pairs):
    """-H^-1 g, with the Hessian H known only from pairs (s, y): H s = y, the oldest first.

    For the newest pair the equation holds exactly; what no pair says is taken as H = (y.y / s.y) I. With no pair
    it is -g. About 4 d numbers are read per pair, no matrix is built. g, s, y: (d,); s.y > 0.
    Source: Nocedal and Wright 2006, Algorithm 7.4.
    """
    vector(g=g)
    _check_pairs(g, pairs)
    d = -g
    shares: list[float] = []
    for s, y in reversed(pairs):
        share = dot(s, d) / dot(s, y)
        d = d - share * y
        shares.insert(0, share)
    if pairs:
        s, y = pairs[-1]
        d = d * (dot(s, y) / dot(y, y))
    for (s, y), share in zip(pairs, shares, strict=True):
        d = d + (share - dot(y, d) / dot(s, y)) * s
    return d


def _check_pairs(g, pairs) -> None:
    if not isinstance(pairs, (list, tuple)) or any(not isinstance(p, (list, tuple)) or len(p) != 2 for p in pairs):
        raise TypeError(f"pairs must be a list of pairs (s, y), got {reprlib.repr(pairs)}")
    for i, (s, y) in enumerate(pairs):
        named = {f"pairs[{i}][0]": s, f"pairs[{i}][1]": y}
        vector(**named)
        same_shape(g=g, **named)
        if not dot(s, y) > 0:
            raise ValueError(f"pairs[{i}] has s.y={dot(s, y)}; it must be > 0")


def lbfgs(
    value: Callable,
    gradient: Callable,
    theta,
    steps=20,
    lr=1.0,
    history=100,
    line_search=True,
    tolerance_grad=1e-7,
    tolerance_change=1e-9,
    max_evals=None,
) -> list:
    """Limited-memory BFGS: quasi-Newton steps from the last `history` changes of theta and gradient, each point kept.

    d = two_loop(g, pairs),   theta <- theta + step d,   pairs gain (s, y) = (change of theta, change of g)

    step comes from `strong_wolfe`, starting at lr, or is lr without line search; the first one starts at
    lr min(1, 1 / ||g||_1), since nothing is known yet. A pair with s.y <= 1e-10 is left out: H must stay positive.
    Stops after `steps`, after max_evals values (default 5/4 steps), where every |g| <= tolerance_grad, or where
    the slope, the value or every number of theta changes by no more than tolerance_change.
    theta: (d,), float32 or float64. Raises ValueError on a start that is not finite, or not finite there.
    PyTorch: LBFGS(lr, max_iter=steps, max_eval=max_evals, tolerance_grad, tolerance_change, history_size=history,
    line_search_fn="strong_wolfe" or None), one call of `step`. Its default is no line search.
    Source: Liu and Nocedal 1989; Nocedal and Wright 2006, Algorithm 7.5.
    """
    vector(theta=theta)
    positive(lr=lr)
    at_least_0(tolerance_grad=tolerance_grad, tolerance_change=tolerance_change)
    whole(steps=steps)
    whole(history=history, least=1)
    flag(line_search=line_search)
    function(value=value, gradient=gradient)
    max_evals = max(steps * 5 // 4, 2) if max_evals is None else max_evals
    whole(max_evals=max_evals, least=1)
    left = [max_evals]  # values that may still be asked for

    def counted(x):
        left[0] -= 1
        return value(x)

    now, path = first_point(counted, gradient, theta), [theta]
    pairs: list[tuple] = []
    for i in range(steps):
        if largest(now.g) <= tolerance_grad or left[0] <= 0:
            break
        d = two_loop(now.g, pairs)
        start = now._replace(step=0.0, slope=dot(now.g, d))
        if start.slope > -tolerance_change:
            break
        step = lr if i else lr * min(1.0, 1 / float(array_namespace(d).sum(abs(now.g))))
        line = along(counted, gradient, path[-1], d)
        shortest = tolerance_change / largest(d)
        now = strong_wolfe(line, start, step, shortest=shortest, evals=left[0] - 1) if line_search else line(step)
        path.append(path[-1] + now.step * d)
        if largest(now.step * d) <= tolerance_change or abs(now.value - start.value) < tolerance_change:
            break
        s, y = now.step * d, now.g - start.g
        pairs = [*pairs, (s, y)][-history:] if dot(s, y) > 1e-10 else pairs
    return path
