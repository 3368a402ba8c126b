"""Exercises of the lesson on momentum, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _walk(answer):
    """Twelve steps with a rate that changes half-way, without and with Nesterov: every theta, the last state."""
    rng, results = np.random.default_rng(0), []
    for nesterov, momentum in ((False, 0.8), (True, 0.8), (False, 0.4), (True, 0.4)):
        theta, m, visited = np.array([1.0, -2.0]), np.zeros(2), []
        for t in range(12):
            theta, m = map(np.asarray, answer(theta, rng.normal(size=2), m, 0.5 if t < 6 else 0.05, momentum, nesterov))
            visited.append(theta)
        results += [np.array(visited), m]
    return results


def _step(theta, g, m, lr, momentum, nesterov, *, sign=-1, power=-1, ahead="both"):
    """From the average m. power: of 1 - momentum, by which m is multiplied."""
    new = momentum * m + (1 - momentum) * g
    u, before = (a * (1 - momentum) ** power for a in (new, m))
    steps = {"both": g + momentum * u, "no g": momentum * u, "old": g + momentum * before, "twice": u + momentum * u}
    return theta + sign * lr * (steps[ahead] if nesterov else u), new


def _wrong(**slip):
    return lambda *args: _step(*args, **slip)


def _average(theta, g, m, lr, momentum, nesterov):
    new = momentum * m + (1 - momentum) * g
    return theta - lr * ((1 - momentum) * g + momentum * new if nesterov else new), new


def _average_mixed(theta, g, m, lr, momentum, nesterov):
    new = momentum * m + (1 - momentum) * g
    return theta - lr * (g + momentum * new if nesterov else new), new


def _average_ahead(theta, g, m, lr, momentum, nesterov):
    new = momentum * m + (1 - momentum) * g
    return theta - lr * (g + momentum * new if nesterov else new / (1 - momentum)), new


def _stretched(theta, g, m, lr, momentum, nesterov):
    new = momentum * m + (1 - momentum) * g
    return theta - lr / (1 - momentum) * (g + momentum * new if nesterov else new), new


def _sum(theta, g, m, lr, momentum, nesterov):
    u = momentum * m + g
    return theta - lr * (g + momentum * u if nesterov else u), u


def _sum_out(theta, g, m, lr, momentum, nesterov):
    theta, m = _step(theta, g, m, lr, momentum, nesterov)
    return theta, m / (1 - momentum)


def _sum_in(theta, g, m, lr, momentum, nesterov):
    after, u = _sum(theta, g, m, lr, momentum, nesterov)
    return after, (1 - momentum) * u


def _rate_inside(theta, g, m, lr, momentum, nesterov):
    new = momentum * m + (1 - momentum) * lr * g
    u = new / (1 - momentum)
    return theta - (lr * g + momentum * u if nesterov else u), new


def _step_kept(theta, g, m, lr, momentum, nesterov):
    after = _step(theta, g, m, lr, momentum, nesterov)[0]
    return after, (1 - momentum) * (theta - after) / lr


def _swapped(theta, g, m, lr, momentum, nesterov):
    new = (1 - momentum) * m + momentum * g
    u = new / (1 - momentum)
    return theta - lr * (g + momentum * u if nesterov else u), new


def _shrunk(theta, g, m, lr, momentum, nesterov):
    new = momentum * m + (1 - momentum) * g
    return theta - lr * (1 - momentum) * ((1 - momentum) * g + momentum * new if nesterov else new), new


step = Exercise(
    "momentum_step",
    "the new average first; line 2 says which u belongs to it.",
    {
        "That is the average's own step, too short at this rate: PyTorch steps along u = m / (1 - momentum).": _average,
        "The step must be PyTorch's, so u = m / (1 - momentum) must stand where its formula says u.": _average_mixed,
        "The heavy ball is right. Nesterov's step wants u, too, where you have m.": _average_ahead,
        "With Nesterov only u is m / (1 - momentum); the g beside it is not divided.": _stretched,
        "Upside down: u is m divided by 1 - momentum.": _wrong(power=1),
        "What comes in is the average, and you treat it as the sum: g enters with the weight 1 - momentum.": _sum,
        "What you return is the average; but what comes in is one, too, and you use it as the sum.": _sum_in,
        "The average m is the shorter vector: it needs the rate lr / (1 - momentum), not lr * (1 - momentum).": _shrunk,
        "The path is right, but you return u. Return the average m.": _sum_out,
        "The step uses the new average: first m, then theta.": lambda theta, g, m, lr, mu, nesterov: (
            theta - lr * (g + mu * m / (1 - mu) if nesterov else m / (1 - mu)),
            mu * m + (1 - mu) * g,
        ),
        "The weights are swapped: momentum keeps the old m, and 1 - momentum lets g in.": _swapped,
        "Divided twice: with u = m / (1 - momentum) the rate stays as it is.": lambda theta, g, m, lr, mu, nesterov: (
            _step(theta, g, m, lr / (1 - mu), mu, nesterov)
        ),
        "You return the average that came in: return the new one.": lambda *a: (_step(*a)[0], a[2]),
        "The sign is wrong: the step goes against u.": _wrong(sign=1),
        "The rate stands inside your average: after it drops, old steps keep the old rate. Multiply at the end.": (
            _rate_inside
        ),
        "You keep Nesterov's step as the state: the state is the average m, whatever the step.": _step_kept,
        "Nesterov's step is g + momentum * u: the g is missing.": _wrong(ahead="no g"),
        "Both of your steps are the heavy ball's: Nesterov's g + momentum * u uses the new u, not the one before.": (
            _wrong(ahead="old")
        ),
        "Both of your steps are Nesterov's: without the flag it is u alone.": lambda theta, g, m, lr, mu, nesterov: (
            _step(theta, g, m, lr, mu, True)
        ),
        "Nesterov adds momentum * u to g, not to u.": _wrong(ahead="twice"),
        "Return theta first, then m.": lambda *a: _step(*a)[::-1],
    },
    _walk,
    returns=2,
)

same = Exercise(
    "same_path_lr",
    "line 2 of the derivation compares m with u.",
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
    "solve line 4's two inequalities for the root of the momentum.",
    {
        "The upper border is missing: a steep curvature may need more.": lambda lr, a, b: (1 - np.sqrt(lr * a)) ** 2,
        "The lower border is missing: a flat curvature may need more.": lambda lr, a, b: (np.sqrt(lr * b) - 1) ** 2,
        "That is the root of the momentum.": lambda lr, a, b: np.sqrt(_least(lr, a, b)),
        "Both borders must hold: the larger of the two counts.": lambda lr, a, b: (
            min(abs(1 - np.sqrt(lr * a)), abs(np.sqrt(lr * b) - 1)) ** 2
        ),
        "The curvatures enter by their square roots.": lambda lr, a, b: max(1 - lr * a, lr * b - 1) ** 2,
        "Where is `lr`? The borders are for the rate times the curvature.": lambda lr, a, b: _least(1, a, b),
        "That is the momentum for the best rate; here the rate is given.": lambda lr, a, b: _tuned(a, b)[1],
    },
    # from a lower border that decides to curvatures that are all too steep for momentum 0
    on(
        (0.01, 1.0, 25.0),
        (0.3, 0.2, 5.0),
        (0.01, 4.0, 30.0),
        (0.3, 3.0, 12.0),
        (0.1, 9.0, 30.0),
        (2.0, 0.5, 0.5),
        (0.5, 3.0, 4.5),
    ),
)


def _tuned(low, high):
    a, b = np.sqrt(low), np.sqrt(high)
    root = (b - a) / (b + a)
    return 4 / (a + b) ** 2, root**2


def _with(index, change):
    def answer(low, high):
        values = list(_tuned(low, high))
        values[index] = change(low, high)
        return tuple(values)

    return answer


tuned = Exercise(
    "tuned",
    "line 4 asks for two equalities, one at each end.",
    {
        "That rate is the best one without momentum.": _with(0, lambda a, b: 2 / (a + b)),
        "That is the root of the rate: square it.": _with(0, lambda a, b: np.sqrt(_tuned(a, b)[0])),
        "These are gradient descent's best constants: the momentum is not 0.": lambda a, b: (2 / (a + b), 0),
        "Those are the constants of the proof for Nesterov's step; the heavy ball has its own.": lambda a, b: (
            1 / b,
            np.sqrt(_tuned(a, b)[1]),
        ),
        "That is the square root of the momentum.": _with(1, lambda a, b: np.sqrt(_tuned(a, b)[1])),
        "The curvatures enter by their square roots.": _with(1, lambda a, b: ((b - a) / (b + a)) ** 2),
        "The ends are swapped: a negative root squares away, the rate does not.": _with(
            0, lambda a, b: 4 / (np.sqrt(b) - np.sqrt(a)) ** 2
        ),
        "That rate is for a smallest curvature of 1. A rate times a curvature has no unit: divide by `low`.": _with(
            0, lambda a, b: 4 / (1 + np.sqrt(b / a)) ** 2
        ),
        "Where is `low`? The smallest curvature need not be 1.": lambda a, b: _tuned(1, b),
        "Return the rate first, then the momentum.": lambda a, b: _tuned(a, b)[::-1],
        "Both curvatures enter by their square roots, in the rate and in the momentum.": lambda a, b: _tuned(
            a**2, b**2
        ),
    },
    on((1.0, 100.0), (0.3, 7.0), (2.0, 50.0)),
    returns=2,
)

EXERCISES = [step, same, least, tuned]
