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


steps = Exercise(
    "adagrad_steps",
    LESSON,
    "which gradients are in s when step t is taken?",
    lambda g, lr: lr * np.abs(g) / np.sqrt(np.cumsum(g**2)),
    {
        "s holds this step's gradient too.": lambda g, lr: (
            lr * np.abs(g) / np.sqrt(np.concatenate([g[:1] ** 2, np.cumsum(g**2)[:-1]]))
        ),
        "The root is missing.": lambda g, lr: lr * np.abs(g) / np.cumsum(g**2),
        "Square first, then add up.": lambda g, lr: lr * np.abs(g) / np.maximum(np.abs(np.cumsum(g)), 1e-9),
        "That is an average of the squares; AdaGrad adds them up.": lambda g, lr: (
            lr * np.abs(g) / np.sqrt(np.cumsum(g**2) / np.arange(1, len(g) + 1))
        ),
        "lr / sqrt(t) is for gradients of one size.": lambda g, lr: lr / np.sqrt(np.arange(1, len(g) + 1)),
        "All squares at once: step t knows only the first t gradients.": lambda g, lr: (
            lr * np.abs(g) / np.sqrt(np.sum(g**2))
        ),
        "Wanted are lengths, which are never negative.": lambda g, lr: lr * g / np.sqrt(np.cumsum(g**2)),
        "That is the distance walked so far; wanted is each step.": lambda g, lr: np.cumsum(
            lr * np.abs(g) / np.sqrt(np.cumsum(g**2))
        ),
    },
    lambda answer: [answer(np.array([3.0, -0.5, 10.0, 2.0, -4.0]), 0.3), answer(np.array([-2.0, -2.0, 0.1]), 1.0)],
)


def _second(g, rho, eps, *, first=None, enters=None, seen=None, upper=True, below=True):
    delta = np.sqrt(eps) / np.sqrt((1 - rho) * g**2 + eps) * g if first is None else first
    d = (1 - rho if enters is None else enters) * delta**2
    s = (1 - rho**2 if seen is None else seen) * g**2
    return np.sqrt(d + eps * upper) / np.sqrt(s + eps * below) * np.abs(g)


second = Exercise(
    "adadelta_second",
    LESSON,
    "what does the first step leave in d, and what is in s after two gradients?",
    _second,
    {
        "That is the first step.": lambda g, rho, eps: np.sqrt(eps) / np.sqrt((1 - rho) * g**2 + eps) * np.abs(g),
        "The first step enters d with the weight 1 - rho.": lambda g, rho, eps: _second(g, rho, eps, enters=1.0),
        "s has seen two gradients, not one.": lambda g, rho, eps: _second(g, rho, eps, seen=1 - rho),
        "d is no longer 0.": lambda g, rho, eps: _second(g, rho, eps, first=0 * g),
        "d remembers steps, not gradients.": lambda g, rho, eps: _second(g, rho, eps, first=g),
        "eps stands under the upper root too.": lambda g, rho, eps: _second(g, rho, eps, upper=False),
        "eps stands under the lower root too.": lambda g, rho, eps: _second(g, rho, eps, below=False),
        "d must be the one before this step: the step that is being taken is not in it yet.": lambda g, rho, eps: (
            _second(g, rho, eps, first=_second(g, rho, eps))
        ),
        "Wanted is the length of the step, which is never negative.": lambda g, rho, eps: (
            np.sign(g) * _second(g, rho, eps)
        ),
    },
    lambda answer: answer(np.array([3.0, -0.2, 50.0]), 0.7, 0.04),
)

EXERCISES = [step, forget, steps, second]
