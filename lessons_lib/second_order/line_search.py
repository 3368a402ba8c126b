import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ..core import same_shape
from ..core.options import at_least_0, function, number, whole
from ._vectors import dot, value_at, vector


class Point(NamedTuple):
    """A point of a line: how far along it, the value, the slope along the line, the gradient."""

    step: float
    value: float
    slope: float
    g: Any


def first_point(value: Callable, gradient: Callable, theta) -> Point:
    """Where a search begins. Raises ValueError unless value and gradient are finite there."""
    vector(theta=theta)
    function(value=value, gradient=gradient)
    now = Point(0.0, value_at(value, theta), 0.0, gradient(theta))
    vector(**{"gradient(theta)": now.g})
    if not math.isfinite(now.value):
        raise ValueError(f"value(theta) is {now.value}; it must be finite at the start")
    same_shape(theta=theta, **{"gradient(theta)": now.g})
    return now


def along(value: Callable, gradient: Callable, theta, d) -> Callable[[float], Point]:
    """The function on the line theta + step d: line(step) is a Point."""

    function(value=value, gradient=gradient)
    vector(theta=theta, d=d)
    same_shape(theta=theta, d=d)

    def line(step):
        g = gradient(theta + step * d)
        return Point(step, value_at(value, theta + step * d), dot(g, d), g)

    return line


def strong_wolfe(line, start: Point, step=1.0, c1=1e-4, c2=0.9, shortest=0.0, evals=25) -> Point:
    """A step that goes down far enough and to where the slope is nearly gone.

    value <= start.value + c1 step start.slope        (sufficient decrease)
    |slope| <= c2 |start.slope|                       (curvature)

    First the step grows until a good point lies behind it (or it is one), then the bracket around that point
    shrinks. Trial steps come from cubics; a value that is inf or NaN counts as too high. After 1 + `evals` values, or
    once the bracket is narrower than `shortest`, the lower of its ends is returned, good or not.
    start: line(0). Raises ValueError on a slope >= 0 at the start, a step <= 0, evals < 0, or c1, c2 not in order.
    PyTorch: inside LBFGS(line_search_fn="strong_wolfe"), the same trial steps.
    Source: Nocedal and Wright 2006, Algorithms 3.5 and 3.6; the choice of trials follows Schmidt's minFunc, 2005.
    """
    function(line=line)
    check_wolfe(c1, c2)
    whole(evals=evals)
    number(step=step)
    at_least_0(shortest=shortest)
    if not isinstance(start, Point):
        raise TypeError(f"start must be line(0), a Point, got a {type(start).__name__}")
    if not (start.slope < 0 and 0 < step < math.inf):
        raise ValueError(f"start.slope={start.slope} must be < 0, step={step} finite and > 0")
    before, now = start, line(step)
    for i in range(evals):
        if too_high(now, start, c1) or (i > 1 and now.value >= before.value):  # the paper: i > 0
            return _zoom(line, start, before, now, c1, c2, shortest, evals - i)
        if abs(now.slope) <= -c2 * start.slope:
            return now
        if now.slope >= 0:
            return _zoom(line, start, before, now, c1, c2, shortest, evals - i)
        step = cubic_minimum(before, now, now.step + 0.01 * (now.step - before.step), 10 * now.step)
        before, now = now, line(step)
    return now if now.value < start.value else start


def check_wolfe(c1, c2) -> None:
    number(c1=c1, c2=c2)
    if not 0 < c1 < c2 < 1:
        raise ValueError(f"c1={c1}, c2={c2} are not allowed; they must satisfy 0 < c1 < c2 < 1")


def _zoom(line, start, one, other, c1, c2, shortest, evals) -> Point:
    """The bracket's lower end `low` moves until it satisfies both conditions; `high` is the other end."""
    low, high = (one, other) if not other.value < one.value else (other, one)
    stuck = False
    for _ in range(evals):
        left, right = sorted((low.step, high.step))
        if right - left < shortest or left == right:
            break
        step, stuck = _inside(cubic_minimum(low, high, left, right), left, right, stuck)
        now = line(step)
        if too_high(now, start, c1) or now.value >= low.value:
            low, high = (low, now) if not now.value < low.value else (now, low)
            continue
        if abs(now.slope) <= -c2 * start.slope:
            return now
        if now.slope * (high.step - low.step) >= 0:
            high = low
        low = now
    return low


def too_high(now: Point, start: Point, c1) -> bool:
    """No sufficient decrease, or no number at all."""
    return not now.value <= start.value + c1 * now.step * start.slope


def _inside(step, left, right, stuck):
    """A trial within a tenth of the bracket from an end moves inwards, the second time it happens in a row."""
    margin = 0.1 * (right - left)
    if min(right - step, step - left) >= margin:
        return step, False
    if not stuck and left < step < right:
        return step, True
    return (right - margin if abs(step - right) < abs(step - left) else left + margin), False


def cubic_minimum(a: Point, b: Point, lower, upper) -> float:
    """Where the cubic through two values and slopes has its minimum, moved into [lower, upper]; the middle if none."""
    a, b = sorted((a, b), key=lambda p: p.step)
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
    root = d1 * d1 - a.slope * b.slope
    width = b.slope - a.slope + 2 * math.sqrt(root) if root >= 0 else 0.0
    if width == 0 or not math.isfinite(width):
        return (lower + upper) / 2
    step = b.step - (b.step - a.step) * ((b.slope + math.sqrt(root) - d1) / width)
    return min(max(step, lower), upper)
