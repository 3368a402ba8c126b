import reprlib

from ..core import Rule
from ..core.options import function, whole


def descend(theta, rule: Rule, gradient, steps: int) -> list:
    """The points that a rule visits from theta on: theta itself, then where it stands after each of the steps.

    theta <- rule.update(theta, gradient(theta), state)

    theta: whatever the rule moves: an array, or for `Each` a dict. gradient: a function of theta. One that draws a
    batch in each call makes this stochastic gradient descent; one that takes the next of a list replays it.
    Raises TypeError on what is no rule or no function, ValueError on steps < 0, and what the rule raises.
    PyTorch: the loop of optimizer.zero_grad(), loss.backward(), optimizer.step().
    Source: Cauchy 1847.
    """
    if isinstance(rule, type) or not hasattr(rule, "init") or not hasattr(rule, "update"):
        raise TypeError(f"rule must be an optimizer with its options, as SGD(0.1), got {reprlib.repr(rule)}")
    function(gradient=gradient)
    whole(steps=steps)
    visited, state = [theta], rule.init(theta)
    for _ in range(steps):
        theta, state = rule.update(theta, gradient(theta), state)
        visited.append(theta)
    return visited
