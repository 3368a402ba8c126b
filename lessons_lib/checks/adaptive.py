"""Exercises of the lesson on AdaGrad, RMSProp and Adadelta, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise

LESSON = "03_algorithms/12_adaptive"


def _walk(answer):
    """Fifteen steps along gradients of three sizes: every theta, and the last s."""
    gradients = np.random.default_rng(0).normal(size=(15, 3)) * [0.1, 1.0, 10.0] + [0.2, 0.0, -3.0]
    theta, s, visited = np.array([1.0, -2.0, 0.5]), np.zeros(3), []
    for t, g in enumerate(gradients, 1):
        result = answer(theta.copy(), g.copy(), s.copy(), t, 0.3, 0.8, 0.5)
        theta, s = (np.array(a, dtype=float) for a in result)
        visited.append(theta)
    return [np.array(visited), s]


def _step(theta, g, s, t, lr, rho, eps, *, late=0, correct=True, gain=True, place="outside", sign=-1, keep=False):
    s = rho * s + ((1 - rho) if gain else 1) * g**2
    s_hat = s / (1 - rho ** (t - late)) if correct else s
    below = {"outside": np.sqrt(s_hat) + eps, "inside": np.sqrt(s_hat + eps), "no root": s_hat + eps}[place]
    return theta + sign * lr * g / below, s_hat if keep else s


def _wrong(**slip):
    return lambda *args: _step(*args, **slip)


step = Exercise(
    "corrected_rmsprop",
    LESSON,
    "line 2 of the derivation: by which factor is s too small at step t?",
    _step,
    {
        "That is RMSProp without the correction.": _wrong(correct=False),
        "You correct with t - 1. The t that comes in is this step's number, already 1 at the first.": _wrong(late=1),
        "The factor 1 - rho is missing: s then adds up instead of averaging.": _wrong(gain=False),
        "eps stands under the root. Add it to the root.": _wrong(place="inside"),
        "The root is missing.": _wrong(place="no root"),
        "The sign is wrong: the step goes against the gradient.": _wrong(sign=1),
        "You return the corrected average. Return s itself; the next step corrects it with its own t.": _wrong(
            keep=True
        ),
    },
    _walk,
    returns=2,
)


def _forget(size, rho):
    return np.log(size**2 * (1 - rho)) / -np.log(rho)


forget = Exercise(
    "steps_to_forget",
    LESSON,
    "what does one large gradient add to s, and what is left of it k steps later?",
    _forget,
    {
        "s averages squares: the size enters squared.": lambda size, rho: np.log(size * (1 - rho)) / -np.log(rho),
        "The large gradient enters with the weight 1 - rho.": lambda size, rho: np.log(size**2) / -np.log(rho),
        "1 / (1 - rho) is the mean age, whatever the size. How long until this one has faded to 1?": (
            lambda size, rho: 1 / (1 - rho)
        ),
        "The sign is wrong: log(rho) is negative.": lambda size, rho: -_forget(size, rho),
        "log(1/rho) is near 1 - rho only for rho near 1. Solve for k exactly.": lambda size, rho: (
            np.log(size**2 * (1 - rho)) / (1 - rho)
        ),
    },
    lambda answer: [answer(1000.0, 0.99), answer(50.0, 0.5), answer(10.0, 0.9)],
)


distance = Exercise(
    "distance",
    LESSON,
    "line 1 of the derivation gives the length of each step.",
    lambda t, lr: lr * np.sum(1 / np.sqrt(np.arange(1, t + 1))),
    {
        "2 lr sqrt(t) is the limit for many steps; add up the steps.": lambda t, lr: 2 * lr * np.sqrt(t),
        "That is the last step alone.": lambda t, lr: lr / np.sqrt(t),
        "That is a constant step. AdaGrad's shrink.": lambda t, lr: lr * t,
        "The root is missing: step k is lr / sqrt(k).": lambda t, lr: lr * np.sum(1 / np.arange(1, t + 1)),
        "The first step has the number 1.": lambda t, lr: lr * np.sum(1 / np.sqrt(np.arange(1, t + 1) + 1)),
    },
    lambda answer: [answer(1, 0.3), answer(7, 2.0), answer(50, 0.1)],
)


def _first(g, rho, eps):
    return np.sqrt(eps) / np.sqrt((1 - rho) * g**2 + eps) * np.abs(g)


first = Exercise(
    "adadelta_first",
    LESSON,
    "at the first step d is 0; what is v?",
    _first,
    {
        "That is the limit for large gradients; keep eps in both roots.": lambda g, rho, eps: (
            np.sqrt(eps / (1 - rho)) * np.ones_like(g)
        ),
        "The average v has seen one gradient: its weight is 1 - rho.": lambda g, rho, eps: (
            np.sqrt(eps) / np.sqrt(g**2 + eps) * np.abs(g)
        ),
        "The upper root is missing: it holds eps.": lambda g, rho, eps: np.abs(g) / np.sqrt((1 - rho) * g**2 + eps),
        "eps stands under the roots, in both.": lambda g, rho, eps: eps / (np.sqrt((1 - rho) * g**2) + eps) * np.abs(g),
        "Wanted is the length of the step, which is never negative.": lambda g, rho, eps: (
            -np.sign(g) * _first(g, rho, eps)
        ),
    },
    lambda answer: answer(np.array([3.0, -0.02, 50.0]), 0.7, 0.04),
)

EXERCISES = [step, forget, distance, first]
