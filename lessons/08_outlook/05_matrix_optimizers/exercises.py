"""Exercises of the lesson on matrix optimizers."""

import numpy as np

from lessons_lib.exercises import Exercise, on
from lessons_lib.optim import Adam, descend  # noqa: F401  the solution uses them

AROUND = 2 * np.pi * np.arange(24) / 24 + 0.1
starts = np.stack([np.cos(AROUND), np.sin(AROUND)])
RNG = np.random.default_rng(5)
SQUARE, TALL, WIDE = (RNG.normal(size=n) * [0.3, 3.0, 1.0] for n in ((3, 3), (7, 3), (2, 3)))


def hessian(angle):
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    q = np.array([[c, -s], [s, c]])
    return q @ np.diag([1.0, 25.0]) @ q.T


def in_pieces(answer):
    cuts = ((TALL, (2, 4)), (TALL, (1, 6)), (TALL, ()), (SQUARE, (1,)), (10 * TALL, (3,)))
    return [np.concatenate(answer(np.split(g, cut))) for g, cut in cuts]


EXERCISES = [
    Exercise(
        "gains",
        "the best step of each row of the table, put into the product with g.",
        {
            "Under the largest entry the best step is the sign: each entry gives its absolute value.": (
                "abs(g).sum() -> g.sum()"
            ),
            "Those are the sizes of g itself. The gain is what the best step of size 1 reaches.": (
                "[abs(g).sum(), np.sqrt((g**2).sum()), strong.sum()] -> "
                "[abs(g).max(), np.sqrt((g**2).sum()), strong.max()]"
            ),
            "The gain of the step g / length is the length, not its square.": "np.sqrt((g**2).sum()) -> (g**2).sum()",
            "A step of spectral norm 1 can use all directions at once, not only the strongest.": (
                "strong.sum() -> strong.max()"
            ),
            "The gain of U V^T is the sum of the singular values, not of their squares.": (
                "strong.sum() -> (strong**2).sum()"
            ),
            "The order is: largest entry, length, largest singular value.": (
                "[abs(g).sum(), np.sqrt((g**2).sum()), strong.sum()] -> "
                "[np.sqrt((g**2).sum()), abs(g).sum(), strong.sum()]"
            ),
        },
        on((SQUARE,), (TALL,), (WIDE,), (-2 * SQUARE,)),
    ),
    Exercise(
        "orthogonal",
        "add p.T @ p over all pieces: that is g.T @ g.",
        {
            "That is each piece made orthogonal for itself. The devices must add their p.T @ p first.": (
                "[p @ root for p in pieces] -> [np.linalg.svd(p, full_matrices=False)[0] @ "
                "np.linalg.svd(p, full_matrices=False)[2] for p in pieces]"
            ),
            "g.T @ g holds the squares of the singular values: take the power -1/2, not -1/4.": (
                "np.sqrt(values) -> values**0.25"
            ),
            "g.T @ g holds the squares of the singular values: take the power -1/2, not -1.": (
                "np.sqrt(values) -> values"
            ),
            "The power is -1/2: divide by the roots, do not multiply.": "vectors / np.sqrt -> vectors * np.sqrt",
            "Turn back at the end: without the last eigenvectors the columns are in other axes.": (
                "(vectors / np.sqrt(values)) @ vectors.T -> vectors / np.sqrt(values)"
            ),
            "The eigenvectors are the columns: vectors * f(values) @ vectors.T.": (
                "(vectors / np.sqrt(values)) @ vectors.T -> (vectors.T / np.sqrt(values)) @ vectors"
            ),
            "A sum over the devices, not a mean.": (
                "sum(p.T @ p for p in pieces) -> sum(p.T @ p for p in pieces) / len(pieces)"
            ),
        },
        in_pieces,
    ),
    Exercise(
        "tuned_loss",
        "one run of descend per rate, all 24 starts in it.",
        {
            "The best rate is the one with the lowest loss.": "min(found) -> max(found)",
            "The rate is to be tuned: take the best one, not the mean of all.": "min(found) -> np.mean(found)",
            "Take the logarithm of each loss first, then the mean.": (
                "np.log10((theta * (h @ theta)).sum(0) / 2).mean() -> "
                "np.log10(((theta * (h @ theta)).sum(0) / 2).mean())"
            ),
            "The loss is half of theta H theta.": "/ 2).mean() -> ).mean()",
            "The logarithm is that of base 10.": "np.log10 -> np.log",
            "The averages are beta1, as given, for the gradient and 0.9 for its square.": "beta1, 0.9 -> 0.9, beta1",
            "Take the point at the end, not the best on the way.": (
                "theta = descend(starts, Adam(rate, beta1, 0.9), lambda theta: h @ theta, steps)[-1] -> "
                "theta = min(descend(starts, Adam(rate, beta1, 0.9), lambda theta: h @ theta, steps), "
                "key=lambda at: np.log10((at * (h @ at)).sum(0) / 2).mean())"
            ),
            "That is the distance from the minimum. The loss weighs it with the curvatures.": (
                "(theta * (h @ theta)).sum(0) -> (theta * theta).sum(0)"
            ),
        },
        on((45, 0.0, [0.5, 0.1, 0.3], 30), (20, 0.9, [0.05, 0.2], 25), (70, 0.5, [0.2], 7)),
    ),
]
