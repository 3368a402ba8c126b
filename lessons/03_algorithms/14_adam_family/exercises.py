"""Exercises of the lesson on the Adam family, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on

BETAS = (0.999, 0.8, 0.75, 0.7, 0.68, 0.667, 0.66, 0.5)  # first one that has an answer, or None for never looks open


def _wake(beta2, above=5.0, factor=2.0):
    rho = 2 / (1 - beta2) - 1
    for t in range(1, 5000):
        if rho - factor * t * beta2**t / (1 - beta2**t) > above:
            return t
    return 0


wake = Exercise(
    "first_division",
    "which number must pass 5, and can it always?",
    {
        "The condition is rho_t > 5; the paper's was 4.": lambda b: _wake(b, 4.0),
        "That is the last step without a division.": lambda b: max(_wake(b) - 1, 0),
        "The factor 2 in rho_t is lost.": lambda b: _wake(b, factor=1.0),
        "That is the answer for the default only; a short memory wakes later, or never.": lambda b: 6,
        "rho, the end of rho_t, can be 5 or less: then RAdam never divides, and 0 is asked for.": lambda b: (
            _wake(b) if _wake(b) else 5000
        ),
        "0 means never: while rho is above 5, go on counting.": lambda b: _wake(b) if _wake(b) <= 20 else 0,
        "rho alone decides whether, not when.": lambda b: int(2 / (1 - b) - 1 > 5),
    },
    lambda answer: [answer(b) for b in BETAS],
)


def _length(b1, b2, mu, k):
    return (1 - mu * b1**k) / (1 - b2**k) ** 0.5


def _longest(b1, b2, mu, length=_length, stop=2000):
    return max(range(1, stop), key=lambda k: length(b1, b2, mu, k))


def _instead(length):
    """The answer that computes every step with another formula."""
    return lambda b1, b2, mu, k: (length(b1, b2, mu, k), _longest(b1, b2, mu, length))


longest = Exercise(
    "after_silence",
    "what are m and v after k gradients of 1, if they start at 0? What does NAdam add to m?",
    {
        "The root over v is missing.": _instead(lambda a, b, mu, k: (1 - mu * a**k) / (1 - b**k)),
        "That is Adam's step: NAdam takes mu m + (1 - mu) g.": _instead(lambda a, b, mu, k: _length(a, b, 1.0, k)),
        "(1 - mu) g is missing.": _instead(lambda a, b, mu, k: mu * _length(a, b, 1.0, k)),
        "mu belongs to m, 1 - mu to g.": _instead(lambda a, b, mu, k: _length(a, b, 1 - mu, k)),
        "That is the first step only: m and v keep growing.": lambda b1, b2, mu, k: (_length(b1, b2, mu, 1), 1),
        "beta1 and beta2 are exchanged.": _instead(lambda a, b, mu, k: _length(b, a, mu, k)),
        "With a bias correction every step would be 1; here none is left.": lambda b1, b2, mu, k: (1.0, 1),
        "The number of the longest step is asked for, not its length.": lambda b1, b2, mu, k: (
            _length(b1, b2, mu, k),
            _length(b1, b2, mu, _longest(b1, b2, mu)),
        ),
        "The first gradient counts too: after k gradients the power is k.": lambda b1, b2, mu, k: (
            _length(b1, b2, mu, k - 1) if k > 1 else 0.0,
            _longest(b1, b2, mu) + 1,
        ),
        "The first step has the number 1, and an index begins at 0.": lambda b1, b2, mu, k: (
            _length(b1, b2, mu, k),
            _longest(b1, b2, mu) - 1,
        ),
        "After k steps look on: the longest step of all is asked for.": lambda b1, b2, mu, k: (
            _length(b1, b2, mu, k),
            _longest(b1, b2, mu, stop=k + 1),
        ),
        "The length of step k is asked for, not that of the longest step.": lambda b1, b2, mu, k: (
            _length(b1, b2, mu, _longest(b1, b2, mu)),
            _longest(b1, b2, mu),
        ),
        "g has the weight 1 - mu, not 1.": _instead(lambda a, b, mu, k: _length(a, b, mu, k) + mu / (1 - b**k) ** 0.5),
        "g has the weight 1 - mu, not 1 - beta1.": _instead(
            lambda a, b, mu, k: (mu * (1 - a**k) + 1 - a) / (1 - b**k) ** 0.5
        ),
        "m takes in the new gradient first; mu m + (1 - mu) g comes after.": _instead(
            lambda a, b, mu, k: (1 - mu * a ** (k - 1)) / (1 - b**k) ** 0.5
        ),
        "Step k stands at index k - 1 of a list that begins with step 1.": lambda b1, b2, mu, k: (
            _length(b1, b2, mu, k + 1),
            _longest(b1, b2, mu),
        ),
        "Two indices are off by one: the first step has the number 1.": lambda b1, b2, mu, k: (
            _length(b1, b2, mu, k + 1),
            _longest(b1, b2, mu) - 1,
        ),
        "The length comes first, then the number.": lambda b1, b2, mu, k: (
            _longest(b1, b2, mu),
            _length(b1, b2, mu, k),
        ),
        "A long memory has its longest step later than you looked.": lambda b1, b2, mu, k: (
            _length(b1, b2, mu, k),
            _longest(b1, b2, mu, stop=101),
        ),
    },
    on(
        (0.9, 0.999, 0.9, 1),
        (0.9, 0.999, 0.57, 12),
        (0.8, 0.99, 0.7, 5),
        (0.95, 0.98, 1.0, 100),
        (0.99, 0.9999, 0.98, 7),
        (0.9987, 0.99999, 1.0, 3),  # longest as late as the hint says
    ),
    returns=2,
)


def _values(gradients, beta2, v=0.0, new=None):
    found = []
    for g in gradients:
        v = beta2 * v + (1 - beta2 if new is None else new) * g**2
        found.append(v)
    return found


def _fed_back(gradients, beta2, n):
    found, v = [], 0.0
    for g in gradients:
        found.append(beta2 * v + (1 - beta2) * g**2)
        v = max(found[-n:])
    return v**0.5


window = Exercise(
    "windowed_divisor",
    "v first, from all gradients; what does the maximum look at?",
    {
        "That is AMSGrad: the largest ever.": lambda g, b, n: max(_values(g, b)) ** 0.5,
        "That is Adam: the newest v.": lambda g, b, n: _values(g, b)[-1] ** 0.5,
        "v must come from all gradients, not only from the last n.": lambda g, b, n: max(_values(g[-n:], b)) ** 0.5,
        "The divisor is the root of v.": lambda g, b, n: max(_values(g, b)[-n:]),
        "That is the largest of the last gradients themselves.": lambda g, b, n: np.max(np.abs(g[-n:])),
        "The window is one step too long.": lambda g, b, n: max(_values(g, b)[-n - 1 :]) ** 0.5,
        "The newest step belongs to the window.": lambda g, b, n: max(_values(g, b)[-n - 1 : -1]) ** 0.5,
        "No bias correction is asked for.": lambda g, b, n: (
            max(v / (1 - b**t) for t, v in list(enumerate(_values(g, b), 1))[-n:]) ** 0.5
        ),
        "The mean of the window, where the largest is asked for.": lambda g, b, n: np.mean(_values(g, b)[-n:]) ** 0.5,
        "v starts at 0, not at the first square.": lambda g, b, n: max(_values(g, b, v=g[0] ** 2)[-n:]) ** 0.5,
        "The new square enters v times 1 - beta2.": lambda g, b, n: max(_values(g, b, new=1.0)[-n:]) ** 0.5,
        "beta2 and 1 - beta2 are exchanged.": lambda g, b, n: max(_values(g, 1 - b)[-n:]) ** 0.5,
        "v goes on from v; the maximum must not be fed back into it.": _fed_back,
        "The window is one step too short.": lambda g, b, n: max(_values(g, b)[-n + 1 :]) ** 0.5,
        "The smallest, where the largest is asked for.": lambda g, b, n: min(_values(g, b)[-n:]) ** 0.5,
    },
    lambda answer: (
        [
            answer(np.array([1.0, 100.0, -2.0, 0.5, 30.0, -1.0, 0.0, last]), beta2, n)
            for beta2, n, last in (
                (0.9, 3, 0.1),
                (0.5, 4, 0.1),
                (0.99, 5, 0.1),
                (0.8, 6, 0.1),
                (0.7, 2, 0.1),
                (0.6, 3, 70.0),
            )
        ]
        + [answer(np.array([5.0, -2.0, 0.1]), 0.9, n) for n in (4, 7)]  # fewer gradients than the window holds
        + [answer(np.array([-3.0, 0.5]), 0.8, 3)]
    ),
)

EXERCISES = [wake, longest, window]
