"""Exercises of the lesson on signs and curvature."""

import numpy as np

from lessons_lib.exercises import Exercise, on

H = np.array([[2.0, -1.0, 0.5, 3.0], [-1.0, 0.3, 4.0, 0.0], [0.5, 4.0, -7.0, 1.5], [3.0, 0.0, 1.5, 0.1]])


def diagonals(answer):
    found = []
    for n, d in ((1, 4), (6, 4), (3, 2), (5, 3)):
        signs = np.random.default_rng(n).choice([-1.0, 1.0], size=(n, d))
        found.append(answer(lambda u, d=d: H[:d, :d].astype(u.dtype) @ u, signs))
    return found


M = np.array([0.3, -2.0, 0.1, 1.2, -0.05, 0.7, -0.9])
CURVED = np.array([1.5, 0.5, -0.3, 3.0, 2.0, 0.0, 0.4])

EXERCISES = [
    Exercise(
        "carry",
        "first q for an average with one weight, then rho.",
        {
            "Signum goes farther than Adam, so its rate is smaller: divide it by rho.": "lr / rho -> lr * rho",
            "The smaller rate weakens the decay: multiply it by rho.": "decay * rho -> decay / rho",
            "The decay must change as well.": "decay * rho -> decay",
            "The rate must change as well.": "lr / rho -> lr",
            "That is the ratio of the step lengths; the mean of a sign has the factor sqrt(2 / pi), too.": (
                "2 / np.pi * (1 + beta) -> (1 + beta)"
            ),
            "A longer memory leaves less noise, so rho grows with beta.": (
                "(1 + beta) / (1 - beta) -> (1 - beta) / (1 + beta)"
            ),
            "That is rho squared: q is a root.": (
                "np.sqrt(2 / np.pi * (1 + beta) / (1 - beta)) -> 2 / np.pi * (1 + beta) / (1 - beta)"
            ),
            "All squared weights of the average count, not the newest one's alone.": (
                "np.sqrt(2 / np.pi * (1 + beta) / (1 - beta)) -> np.sqrt(2 / np.pi) / (1 - beta)"
            ),
        },
        on((1e-3, 0.1, 0.9), (2e-2, 0.3, 0.5), (1.0, 2.0, 0.99), (0.5, 0.0, 0.2)),
        returns=2,
    ),
    Exercise(
        "diagonal",
        "one row of signs gives one estimate: u times the product, number by number.",
        {
            "Multiply by the signs again: without them the whole row of H is in it, with random signs.": (
                "u * product(u) -> product(u)"
            ),
            "That is the sum of the draws. Divide by their number.": "/ len(signs) ->",
            "Divide by the number of draws, not by that of the parameters.": "len(signs) -> signs.shape[1]",
            "That is one number, an estimate of the trace. Keep each parameter apart.": (
                "u * product(u) -> np.sum(u * product(u))"
            ),
            "Only the last draw counts. Add them up.": "total + u * product(u) -> u * product(u)",
            "A curvature may be negative: keep its sign.": "u * product(u) -> np.abs(product(u))",
            "No square: u appears twice, H once.": "u * product(u) -> product(u)**2",
        },
        diagonals,
    ),
    Exercise(
        "level",
        "find the gamma that each parameter needs, and sort.",
        {
            "The step has a length on either side: take the absolute value of m.": "np.abs(m[positive]) -> m[positive]",
            "A negative curvature never fits, whatever gamma is: leave it out.": "h > 0 -> h != 0",
            "That level fits for one parameter more than asked.": "count - 1 -> count",
            "Counted from the wrong end: the smallest gammas fit first.": "count - 1 -> -count",
            "gamma multiplies h: it is the slope over the curvature.": (
                "np.abs(m[positive]) / h[positive] -> h[positive] / np.abs(m[positive])"
            ),
            "Sort what the parameters need.": (
                "np.sort(np.abs(m[positive]) / h[positive]) -> np.abs(m[positive]) / h[positive]"
            ),
            "gamma is a quotient of slope and curvature.": "/ h[positive] ->",
        },
        on((M, CURVED, 1), (M, CURVED, 2), (M, CURVED, 3), (M, CURVED, 4), (M[:4], CURVED[:4], 2)),
    ),
]
