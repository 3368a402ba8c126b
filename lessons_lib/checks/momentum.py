"""Exercises of the lesson on momentum, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise, on

LESSON = "03_algorithms/11_momentum"


def _walk(answer):
    """Twelve steps with a rate that changes half-way, without and with Nesterov: every theta, the last u."""
    rng, results = np.random.default_rng(0), []
    for nesterov in (False, True):
        theta, u, visited = np.array([1.0, -2.0]), np.zeros(2), []
        for t in range(12):
            result = answer(theta.copy(), rng.normal(size=2), u.copy(), 0.5 if t < 6 else 0.05, 0.8, nesterov)
            theta, u = (np.array(a, dtype=float) for a in result)
            visited.append(theta)
        results += [np.array(visited), u]
    return results


def _step(theta, g, u, lr, momentum, nesterov, *, gain=1.0, sign=-1, ahead="both"):
    new = momentum * u + gain * g
    steps = {"both": g + momentum * new, "no g": momentum * new, "old": g + momentum * u, "twice": new + momentum * new}
    return theta + sign * lr * (steps[ahead] if nesterov else new), new


def _wrong(**slip):
    return lambda *args: _step(*args, **slip)


def _rate_inside(theta, g, u, lr, momentum, nesterov):
    new = momentum * u + lr * g
    return theta - (lr * g + momentum * new if nesterov else new), new


step = Exercise(
    "momentum_step",
    LESSON,
    "the two lines of the formula, then the one that Nesterov changes.",
    _step,
    {
        "You average (1 - momentum). The sum u adds the whole gradient.": _wrong(gain=0.2),
        "The sign is wrong: the step goes against u.": _wrong(sign=1),
        "The rate stands inside your sum: after the rate drops, old steps keep the old rate. Multiply u at the end.": (
            _rate_inside
        ),
        "Nesterov's step is g + momentum * u: the g is missing.": _wrong(ahead="no g"),
        "Nesterov uses the new u; with the u that came in, g + momentum * u is the heavy ball again.": _wrong(
            ahead="old"
        ),
        "Nesterov adds momentum * u to g, not to u.": _wrong(ahead="twice"),
    },
    _walk,
    returns=2,
)

same = Exercise(
    "same_path_lr",
    LESSON,
    "line 2 of the derivation compares m with u.",
    lambda lr, momentum: lr * (1 - momentum),
    {
        "Upside down: u is the longer vector, so it needs the smaller rate.": lambda lr, mu: lr / (1 - mu),
        "With the same rate the sum walks 1 / (1 - momentum) times as fast.": lambda lr, mu: lr,
        "The factor is 1 - momentum, not momentum.": lambda lr, mu: lr * mu,
    },
    lambda answer: [answer(0.1, 0.9), answer(2.0, 0.5), answer(0.3, 0.99)],
)


def _least(lr, low, high):
    return max(1 - np.sqrt(lr * low), np.sqrt(lr * high) - 1) ** 2


least = Exercise(
    "least_momentum",
    LESSON,
    "solve line 4's two inequalities for the root of the momentum.",
    _least,
    {
        "The upper border is missing: a steep curvature may need more.": lambda lr, a, b: (1 - np.sqrt(lr * a)) ** 2,
        "The lower border is missing: a flat curvature may need more.": lambda lr, a, b: (np.sqrt(lr * b) - 1) ** 2,
        "That is the root of the momentum.": lambda lr, a, b: np.sqrt(_least(lr, a, b)),
        "Both borders must hold: the larger of the two counts.": lambda lr, a, b: (
            min(abs(1 - np.sqrt(lr * a)), abs(np.sqrt(lr * b) - 1)) ** 2
        ),
        "The curvatures enter by their square roots.": lambda lr, a, b: max(1 - lr * a, lr * b - 1) ** 2,
    },
    on((0.01, 1.0, 25.0), (0.3, 3.0, 12.0), (0.1, 9.0, 30.0), (2.0, 0.5, 0.5)),
)


def _tuned(low, high):
    a, b = np.sqrt(low), np.sqrt(high)
    root = (b - a) / (b + a)
    return 4 / (a + b) ** 2, root**2, np.ceil(np.log(1e-6) / np.log(root))


def _with(index, change):
    def answer(low, high):
        values = list(_tuned(low, high))
        values[index] = change(low, high)
        return tuple(values)

    return answer


def _steps(factor, rounded=np.ceil):
    return rounded(np.log(1e-6) / np.log(factor))


tuned = Exercise(
    "tuned",
    LESSON,
    "line 4 asks for two equalities, one at each end.",
    _tuned,
    {
        "That rate is the best one without momentum.": _with(0, lambda a, b: 2 / (a + b)),
        "These are gradient descent's best constants: the momentum is not 0.": lambda a, b: (
            2 / (a + b),
            0,
            _steps((b - a) / (b + a)),
        ),
        "That is the square root of the momentum.": _with(1, lambda a, b: np.sqrt(_tuned(a, b)[1])),
        "The curvatures enter by their square roots.": _with(1, lambda a, b: ((b - a) / (b + a)) ** 2),
        "The ends are swapped: a negative root squares away, the rate does not.": _with(
            0, lambda a, b: 4 / (np.sqrt(b) - np.sqrt(a)) ** 2
        ),
        "Return the rate first, then the momentum.": lambda a, b: (*_tuned(a, b)[1::-1], _tuned(a, b)[2]),
        "The steps: the factor per step is the root of the momentum.": _with(2, lambda a, b: _steps(_tuned(a, b)[1])),
        "The steps are rounded up, to a whole number.": _with(
            2, lambda a, b: _steps(np.sqrt(_tuned(a, b)[1]), lambda n: n)
        ),
        "The steps of gradient descent: with the best momentum the condition number enters by its root.": _with(
            2, lambda a, b: _steps((b - a) / (b + a))
        ),
    },
    on((1.0, 100.0), (0.3, 7.0)),
    returns=3,
)

EXERCISES = [step, same, least, tuned]
