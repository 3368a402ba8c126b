"""Exercises of the lesson on momentum, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise

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


def _shrink(h, lr, momentum):
    return np.abs(np.roots([1, -(1 + momentum - lr * h), momentum])).max()


def _tries(answer):
    return [
        answer(*s) for s in ((1.0, 0.1, 0.9), (10.0, 0.3, 0.5), (1.0, 0.001, 0.9), (4.0, 0.9, 0.8), (2.0, 0.5, 0.0))
    ]


shrink = Exercise(
    "shrink",
    LESSON,
    "the two roots of line 3's equation; the larger of them rules in the long run.",
    _shrink,
    {
        "That is gradient descent without momentum: |1 - lr h|.": lambda h, lr, mu: abs(1 - lr * h),
        "The square root of the momentum holds only where the roots are complex.": lambda h, lr, mu: np.sqrt(mu),
        "That is the smaller root. In the long run the larger one is left over.": lambda h, lr, mu: np.abs(
            np.roots([1, -(1 + mu - lr * h), mu])
        ).min(),
        "Complex roots: take their size, not their real part.": lambda h, lr, mu: np.roots(
            [1, -(1 + mu - lr * h), mu]
        ).real.max(),
        "The sign of the middle coefficient is -(1 + momentum - lr h).": lambda h, lr, mu: np.abs(
            np.roots([1, -(1 - mu - lr * h), -mu])
        ).max(),
    },
    _tries,
)


def _tuned(low, high):
    a, b = np.sqrt(low), np.sqrt(high)
    return 4 / (a + b) ** 2, ((b - a) / (b + a)) ** 2


tuned = Exercise(
    "tuned",
    LESSON,
    "line 4 asks for two equalities, one at each end.",
    _tuned,
    {
        "That rate is the best one without momentum.": lambda a, b: (2 / (a + b), _tuned(a, b)[1]),
        "That is the square root of the momentum.": lambda a, b: (_tuned(a, b)[0], np.sqrt(_tuned(a, b)[1])),
        "The curvatures enter by their square roots.": lambda a, b: (_tuned(a, b)[0], ((b - a) / (b + a)) ** 2),
        "The ends are swapped: a negative root squares away, the rate does not.": lambda a, b: (
            4 / (np.sqrt(b) - np.sqrt(a)) ** 2,
            _tuned(a, b)[1],
        ),
        "Return the rate first, then the momentum.": lambda a, b: _tuned(a, b)[::-1],
    },
    lambda answer: [answer(1.0, 100.0), answer(0.3, 7.0)],
    returns=2,
)

EXERCISES = [step, same, shrink, tuned]
