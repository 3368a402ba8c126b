"""Exercises of the lesson on many labels."""

import numpy as np

from lessons_lib.exercises import Exercise, on

rng = np.random.default_rng(3)
Y = (rng.random((9, 4)) < (0.8, 0.5, 0.3, 0.2)).astype(float)
A = (rng.random((9, 4)) < (0.9, 0.4, 0.5, 0.1)).astype(float)
SILENT = np.array([[1.0, 0, 0], [1, 0, 1], [0, 0, 1], [1, 0, 0]])  # the second label never occurs
SAID = np.array([[1.0, 0, 1], [0, 0, 1], [1, 0, 0], [1, 0, 0]])

Z = rng.normal(size=(6, 4)) * 3
W = rng.normal(size=(4, 4)) * 2
T = (rng.random((6, 4)) < 0.5).astype(float)
FAR = np.array([[800.0, -900.0, 3.0]])


def shares(q):
    """The sum, the smallest share, whether a marginal is a half, and the share of the answer by halves."""
    q = np.asarray(q, dtype=float)
    if q.shape != (2, 2, 2):
        raise ValueError(f"q must have the shape (2, 2, 2), yours has {q.shape}")
    m = [q[1].sum(), q[:, 1].sum(), q[:, :, 1].sum()]
    answer = tuple(int(v > 0.5) for v in m)
    even = float(any(abs(v - 0.5) < 1e-9 for v in m))
    return [q.sum(), float(q.min() < 0), even, q[answer]]


def filled(*places):
    q = np.zeros((2, 2, 2))
    for place in places:
        q[place] += 1 / len(places)
    return q


EXERCISES = [
    Exercise(
        "averages",
        "count the right yeses of each label first.",
        {
            "The macro average is right; for the micro average add the counts first, then divide.": (
                "2 * right.sum() / said_or_there.sum() -> each.mean()"
            ),
            "Micro and macro average have changed places.": (
                "2 * right.sum() / said_or_there.sum(), each.mean()"
                " -> each.mean(), 2 * right.sum() / said_or_there.sum()"
            ),
            "That is the micro average of the precision: missed yeses must count as well.": (
                "2 * right.sum() / said_or_there.sum() -> right.sum() / answer.sum()"
            ),
            "That is the micro average of the recall: wrong yeses must count as well.": (
                "2 * right.sum() / said_or_there.sum() -> right.sum() / y.sum()"
            ),
            "The right yeses count twice, above as well as below.": "2 * right -> right",
            "You have averaged over examples. Count for each label: add over the rows.": (
                "(answer * y).sum(0) -> (answer * y).sum(1); answer.sum(0) -> answer.sum(1); y.sum(0) -> y.sum(1)"
            ),
            "A right no counts nothing here, and yours counts it.": (
                "right = (answer * y).sum(0) -> right = (answer == y).sum(0)"
            ),
        },
        on((A, Y), (SAID, SILENT), (Y, A[::-1])),
        returns=2,
    ),
    Exercise(
        "chain_loss",
        "the logits of all labels first, then a binary cross-entropy for each.",
        {
            "Every label sees every other. Only those before it may count.": "np.triu(w, 1) -> w",
            "Each label sees those behind it. It must see those before it.": "np.triu(w, 1) -> np.tril(w, -1)",
            "A label sees itself: the diagonal of w may not count.": "np.triu(w, 1) -> np.triu(w)",
            "w[j, i] leads from label j to label i; yours is transposed.": "np.triu(w, 1) -> np.triu(w.T, 1)",
            "The labels do not see each other yet: that is the loss of the sigmoids.": "z + y @ np.triu(w, 1) -> z",
            "The sign is wrong: minus the logarithm of the probability.": (
                "(np.logaddexp(0, logit) - y * logit) -> (y * logit - np.logaddexp(0, logit))"
            ),
            "The logarithm of a product is a sum over the labels, not a mean.": ".sum(1) -> .mean(1)",
            "The label's own term uses the logit with the labels before, not z alone.": "y * logit -> y * z",
            "One number for each example: add over the labels only.": ".sum(1) -> .sum()",
        },
        on((Z, W, T), (Z[:2], W[::-1], T[1:3]), (FAR, np.zeros((3, 3)), np.array([[1.0, 0, 1]]))),
    ),
    Exercise(
        "q",
        "make the answer by halves the set with all three.",
        {
            "The shares must sum to 1.": "/ 3 -> / 4",
            "Every label is below one half: the answer by halves is the empty set, and it occurs.": filled(
                (0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)
            ),
            "The answer by halves occurs: give its set the share 0.": filled((1, 1, 1), (1, 1, 0), (0, 1, 1)),
            "A marginal is exactly one half, so neither side is more probable.": filled((1, 1, 0), (0, 0, 1)),
            "A share is negative.": np.array([[[-0.2, 0.0], [0.0, 0.4]], [[0.0, 0.4], [0.4, 0.0]]]),
        },
        shares,
    ),
]
