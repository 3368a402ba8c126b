"""Exercises of the lesson on divergences, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise

LESSON = "03_algorithms/09_divergences"


def _softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def _pairs(answer, trials):
    results = []
    for trial in trials:
        pair = answer(*(a.copy() if isinstance(a, np.ndarray) else a for a in trial))
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            return pair  # the comparison says how many results came
        results += list(pair)
    return results


def _skew(z, p, beta, through=True, factor=True, direct=False):
    q = _softmax(z)
    m = (1 - beta) * p + beta * q
    by_q = -(beta if factor else 1.0) * p / (q if direct else m)
    return np.sum(p * np.log(p / m)), q * (by_q - q @ by_q) if through else by_q


_Z, _P = np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.5, 0.3, 0.15, 0.05])

skew = Exercise(
    "skewed_kl",
    LESSON,
    "what is the derivative by one q_i, and how does it pass through the softmax?",
    _skew,
    {
        "That is forward KL itself, without the net.": lambda z, p, beta: _skew(z, p, 1.0),
        "The value is right. The gradient is the one by q, not by the logits.": lambda z, p, beta: _skew(
            z, p, beta, through=False
        ),
        "The value is right. In the gradient the inner derivative beta is missing.": lambda z, p, beta: _skew(
            z, p, beta, factor=False
        ),
        "The value is right. The gradient is that of forward KL, q - p.": lambda z, p, beta: (
            _skew(z, p, beta)[0],
            _softmax(z) - p,
        ),
        "The shares are exchanged: beta is the model's.": lambda z, p, beta: _skew(z, p, 1 - beta),
        "The sign of the gradient is wrong.": lambda z, p, beta: (_skew(z, p, beta)[0], -_skew(z, p, beta)[1]),
        "The value is right. The derivative of log m is 1 / m, not 1 / q.": lambda z, p, beta: _skew(
            z, p, beta, direct=True
        ),
    },
    lambda answer: _pairs(answer, [(_Z, _P, 0.3), (3 * _Z, _P[::-1], 0.9), (-_Z, _P, 0.6)]),
)


def _gauss(m1, s1, m2, s2):
    return np.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 1 / 2


gaussians = Exercise(
    "kl_gaussians",
    LESSON,
    "which means do you need, and over which of the two distributions are they taken?",
    _gauss,
    {
        "That is the other direction.": lambda m1, s1, m2, s2: _gauss(m2, s2, m1, s1),
        "For equal Gaussians it must be 0: the 1/2 is missing.": lambda m1, s1, m2, s2: _gauss(m1, s1, m2, s2) + 0.5,
        "s is a standard deviation; its square is the variance.": lambda m1, s1, m2, s2: _gauss(
            m1, np.sqrt(s1), m2, np.sqrt(s2)
        ),
        "The distance of the means is missing.": lambda m1, s1, m2, s2: _gauss(m1, s1, m1, s2),
        "The logarithm has the wrong sign: a wider second Gaussian costs.": lambda m1, s1, m2, s2: (
            _gauss(m1, s1, m2, s2) - 2 * np.log(s2 / s1)
        ),
        "The factor 1/2 on the squares is missing.": lambda m1, s1, m2, s2: (
            _gauss(m1, s1, m2, s2) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2)
        ),
        "The first variance is missing from the mean of (x - m2)^2.": lambda m1, s1, m2, s2: (
            _gauss(m1, s1, m2, s2) - s1**2 / (2 * s2**2)
        ),
    },
    lambda answer: [answer(0.0, 1.0, 3.0, 2.0), answer(-1.0, 4.0, 2.0, 0.5), answer(2.0, 3.0, 2.0, 3.0)],
)


def _distil(z, t, T, power=2.0, inner=True):
    p, q = _softmax(t / T), _softmax(z / T)
    return T**power * np.sum(p * np.log(p / q)), T**power * (q - p) / (T if inner else 1.0)


distil = Exercise(
    "distil",
    LESSON,
    "which power of T is left in the gradient?",
    _distil,
    {
        "The factor T squared is missing.": lambda z, t, T: _distil(z, t, T, 0.0),
        "The value is right. In the gradient the chain rule through z / T is missing.": lambda z, t, T: _distil(
            z, t, T, inner=False
        ),
        "The value is right. The gradient needs the factor too.": lambda z, t, T: (
            _distil(z, t, T)[0],
            _distil(z, t, T, 0.0)[1],
        ),
        "Teacher and student are exchanged in the divergence.": lambda z, t, T: (
            T**2 * np.sum(_softmax(z / T) * np.log(_softmax(z / T) / _softmax(t / T))),
            _distil(z, t, T)[1],
        ),
        "The temperature does not enter.": lambda z, t, T: _distil(z, t, 1.0),
        "The logits are divided by T, not multiplied.": lambda z, t, T: _distil(z * T * T, t * T * T, T),
        "The sign of the gradient is wrong.": lambda z, t, T: (_distil(z, t, T)[0], -_distil(z, t, T)[1]),
    },
    lambda answer: _pairs(answer, [(_Z, np.array([4.0, 0.0, -1.0, 1.0]), T) for T in (1.5, 3.0, 8.0)]),
)

EXERCISES = [skew, gaussians, distil]
