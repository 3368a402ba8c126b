import math
import reprlib
import warnings
from contextlib import nullcontext
from textwrap import shorten

from ..core import Rule
from ..core.dtypes import namespace
from ..core.options import function, whole


def descend(theta, rule: Rule, gradient, steps: int) -> list:
    """The points that a rule visits from theta on: theta itself, then where it stands after each of the steps.

    theta <- rule.update(theta, gradient(theta), state)

    theta: whatever the rule moves: an array, or for `Each` a dict. gradient: a function of theta. One that draws a
    batch in each call makes this stochastic gradient descent; one that takes the next of a list replays it.
    Raises TypeError on what is no rule or no function, ValueError on steps < 0, and what the rule raises. A run that
    diverges goes on, and one RuntimeWarning says in which step it left the numbers; none does where NumPy has been told
    to ignore an overflow.
    PyTorch: the loop of optimizer.zero_grad(), loss.backward(), optimizer.step().
    Source: Cauchy 1847.
    """
    if isinstance(rule, type) or not hasattr(rule, "init") or not hasattr(rule, "update"):
        raise TypeError(f"rule must be an optimizer with its options, as SGD(0.1), got {reprlib.repr(rule)}")
    function(gradient=gradient)
    whole(steps=steps)
    visited, state = [theta], rule.init(theta)
    numpy = next((xp for a in _arrays(theta) if hasattr(xp := namespace(a), "errstate")), None)
    silent = numpy.errstate(over="ignore", invalid="ignore") if numpy else nullcontext()  # it would warn in each step
    with silent:
        for _ in range(steps):
            theta, state = rule.update(theta, gradient(theta), state)
            visited.append(theta)
    if (not numpy or numpy.geterr()["over"] != "ignore") and (lost := _lost(theta)):
        first = next(step for step, at in enumerate(visited) if _lost(at))
        warnings.warn(
            f"{shorten(str(rule), 80)} diverged: {lost} of the numbers became inf or NaN, the first in step {first}. "
            "The learning rate is too large, or the gradient is inf or NaN there",
            RuntimeWarning,
            stacklevel=2,
        )
    return visited


def _lost(theta) -> str:
    """How many numbers are inf or NaN, as "1 of 3"; "" where none is."""
    finite = [namespace(a).isfinite(a) for a in _arrays(theta)]
    lost = sum(int(namespace(a).sum(namespace(a).astype(~a, namespace(a).int64))) for a in finite)
    return f"{lost} of {sum(math.prod(a.shape) for a in finite)}" if lost else ""


def _arrays(theta) -> list:
    return list(theta.values()) if isinstance(theta, dict) else [theta]
