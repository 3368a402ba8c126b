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
    factor = 1 - rho ** (t - late) if correct else 1
    s_hat = s / factor
    below = {
        "outside": np.sqrt(s_hat) + eps,
        "inside": np.sqrt(s_hat + eps),
        "no root": s_hat + eps,
        "no eps": np.sqrt(s_hat),
        "eps shrunk": (np.sqrt(s) + eps) / np.sqrt(factor),
        "factor outside": np.sqrt(s) / factor + eps,
        "multiplied": np.sqrt(s * factor) + eps,
        "no t": np.sqrt(s / (1 - rho)) + eps,
    }[place]
    return theta + sign * lr * g / below, s_hat if keep else s


def _wrong(**slip):
    return lambda *args: _step(*args, **slip)


def _stale(theta, g, s, t, lr, rho, eps):
    return theta - lr * g / (np.sqrt(s / (1 - rho**t)) + eps), rho * s + (1 - rho) * g**2


def _swapped(theta, g, s, t, lr, rho, eps):
    s = (1 - rho) * s + rho * g**2
    return theta - lr * g / (np.sqrt(s / (1 - rho**t)) + eps), s


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
        "You correct with t + 1. The t that comes in is this step's number.": _wrong(late=-1),
        "The factor depends on t: after t gradients the weights add up to 1 - rho^t.": _wrong(place="no t"),
        "Multiplying makes s smaller still. Divide by the factor.": _wrong(place="multiplied"),
        "The factor belongs to s: divide before you take the root.": _wrong(place="factor outside"),
        "You divide eps by the root of the factor as well. Correct s alone, then take its root and add eps.": _wrong(
            place="eps shrunk"
        ),
        "eps is missing.": _wrong(place="no eps"),
        "The step uses the old s. Let this gradient enter first.": _stale,
        "rho is the weight of the past, 1 - rho that of the new square.": _swapped,
        "Return theta first, then s.": lambda *args: _step(*args)[::-1],
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
        "That is what it adds beyond an ordinary gradient. Asked is all that it adds itself.": lambda size, rho: (
            np.log((size**2 - 1) * (1 - rho)) / -np.log(rho)
        ),
        "You count its own step: there k is 0.": lambda size, rho: _forget(size, rho) + 1,
        "You rounded up. Any real number may come out.": lambda size, rho: np.ceil(_forget(size, rho)),
        "You rounded. Any real number may come out.": lambda size, rho: np.round(_forget(size, rho)),
        "A new square enters with 1 - rho; rho is what stays of the past.": lambda size, rho: (
            np.log(size**2 * rho) / -np.log(rho)
        ),
        "That is half the time: size squared, times 1 - rho, fades by rho per step.": lambda size, rho: (
            _forget(size, rho) / 2
        ),
        "The fraction stands on its head: divide by the logarithm of rho.": lambda size, rho: 1 / _forget(size, rho),
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
        "That is the change of theta; wanted is its length.": lambda g, lr: -lr * g / np.sqrt(np.cumsum(g**2)),
        "That is how far theta has come from its start; wanted is each step.": lambda g, lr: np.abs(
            np.cumsum(lr * g / np.sqrt(np.cumsum(g**2)))
        ),
        "lr is missing.": lambda g, lr: np.abs(g) / np.sqrt(np.cumsum(g**2)),
        "That is only what the gradient is multiplied by.": lambda g, lr: lr / np.sqrt(np.cumsum(g**2)),
        "s adds up squares, not sizes.": lambda g, lr: lr * np.abs(g) / np.cumsum(np.abs(g)),
    },
    lambda answer: [answer(np.array([3.0, -0.5, 10.0, 2.0, -4.0]), 0.3), answer(np.array([-2.0, -2.0, 0.1]), 1.0)],
)


def _first(g, rho, eps):
    return np.sqrt(eps) / np.sqrt((1 - rho) * g**2 + eps) * np.abs(g)


def _second(g, rho, eps, *, first=None, enters=None, seen=None, upper=True, below=True):
    delta = _first(g, rho, eps) if first is None else first
    d = (1 - rho if enters is None else enters) * delta**2
    s = (1 - rho**2 if seen is None else seen) * g**2
    return np.sqrt(d + eps * upper) / np.sqrt(s + eps * below) * np.abs(g)


second = Exercise(
    "adadelta_second",
    LESSON,
    "what does the first step leave in d, and what is in s after two gradients?",
    _second,
    {
        "That is the first step; s = 2 (1 - rho) g^2 gives it again. The older square fades.": _first,
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
        "sqrt(eps / (1 - rho)) is only about the first step. Keep the eps under its lower root.": lambda g, rho, eps: (
            _second(g, rho, eps, first=np.sqrt(eps / (1 - rho)))
        ),
        "s is g^2 only in the long run; here it has seen two gradients.": lambda g, rho, eps: _second(
            g, rho, eps, seen=1.0
        ),
        "rho is the weight of the past; a new square enters d with 1 - rho.": lambda g, rho, eps: _second(
            g, rho, eps, enters=rho
        ),
        "d has seen one step, not two.": lambda g, rho, eps: _second(g, rho, eps, enters=1 - rho**2),
        "The quotient of the roots is still to be multiplied by the gradient.": lambda g, rho, eps: (
            _second(g, rho, eps) / np.abs(g)
        ),
        "That is both steps together.": lambda g, rho, eps: _first(g, rho, eps) + _second(g, rho, eps),
    },
    lambda answer: answer(np.array([3.0, -0.2, 50.0]), 0.7, 0.04),
)

EXERCISES = [step, forget, steps, second]
