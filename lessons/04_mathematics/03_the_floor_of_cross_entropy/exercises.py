"""Exercises of the lesson on the floor of cross-entropy."""

import numpy as np

from lessons_lib.exercises import Exercise, on

P, Y = np.array([0.9, 0.9, 0.2, 0.2, 0.6, 0.03]), np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
ROWS = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1], [0.25, 0.35, 0.4]])
FOUR = np.array([[0.4, 0.3, 0.2, 0.1], [0.05, 0.15, 0.35, 0.45]])


def entropy(p):
    return -(p * np.log(p)).sum(axis=1), -np.log(p) - 1


def parabola(p):
    return 1 - (p**2).sum(axis=1), -2 * p


def lopsided(p):
    weights = np.arange(1.0, p.shape[1] + 1)
    return (weights * np.sqrt(p)).sum(axis=1), weights / (2 * np.sqrt(p))


EXERCISES = [
    Exercise(
        "round_loss",
        "put the slope of the arch into H(p) + H'(p) (y - p), for y = 1 and for y = 0.",
        {
            "The two labels are swapped: a sure forecast that comes true must be cheap.": (
                "y / np.sqrt(odds) + (1 - y) * np.sqrt(odds) -> y * np.sqrt(odds) + (1 - y) / np.sqrt(odds)"
            ),
            "The root is missing: these are the odds themselves.": (
                "y / np.sqrt(odds) + (1 - y) * np.sqrt(odds) -> y / odds + (1 - y) * odds"
            ),
            "That is the height of the arch, the mean loss of an honest forecast. Read its tangent at y.": (
                lambda p, y: 2 * np.sqrt(p * (1 - p))
            ),
            "You read the tangent at y = 1 for both labels.": (
                "y / np.sqrt(odds) + (1 - y) * np.sqrt(odds) -> 1 / np.sqrt(odds)"
            ),
            "You read the tangent at y = 0 for both labels.": (
                "y / np.sqrt(odds) + (1 - y) * np.sqrt(odds) -> np.sqrt(odds)"
            ),
            "The 2 of the arch got lost, in its height and in its slope.": (
                "return y / np.sqrt(odds) + (1 - y) * np.sqrt(odds) ->"
                " return (y / np.sqrt(odds) + (1 - y) * np.sqrt(odds)) / 2"
            ),
            "The slope of the root is half as steep as yours: the 2 of the arch is in it already.": (
                lambda p, y: 2 * np.sqrt(p * (1 - p)) + 2 * (1 - 2 * p) / np.sqrt(p * (1 - p)) * (y - p)
            ),
            "The tangent starts at p: its height at y is H(p) + H'(p) (y - p), not H(p) + H'(p) y.": (
                lambda p, y: 2 * np.sqrt(p * (1 - p)) + (1 - 2 * p) / np.sqrt(p * (1 - p)) * y
            ),
            "The way is walked backwards: from the forecast to the label it is y - p.": (
                lambda p, y: 2 * np.sqrt(p * (1 - p)) + (1 - 2 * p) / np.sqrt(p * (1 - p)) * (p - y)
            ),
            "That is cross-entropy, the loss of another arch.": (
                lambda p, y: -y * np.log(p) - (1 - y) * np.log(1 - p)
            ),
        },
        on((P, Y), (0.9 * P[::-1], 1 - Y)),
    ),
    Exercise(
        "dome_loss",
        "height at the forecast, plus slopes times the way from the forecast to the corner.",
        {
            "Only the slope of the label's class is used. The way to the corner changes every p_i.": (
                "(slope * (corner - p)).sum(axis=1) -> (slope * corner).sum(axis=1)"
            ),
            "The way is walked backwards: from the forecast to the corner it is corner - p.": (
                "corner - p -> p - corner"
            ),
            "The height is missing: the plane begins on the dome.": "height + (slope -> (slope",
            "The plane is read at the corner of every label at once. Each example has one label.": (
                "np.eye(p.shape[1])[labels] -> np.ones_like(p)"
            ),
            "The mean over examples is not wanted: return one loss for each.": (
                "return height + (slope * (corner - p)).sum(axis=1) ->"
                " return (height + (slope * (corner - p)).sum(axis=1)).mean()"
            ),
            "Add the parts of the product; their mean is C times too small.": ".sum(axis=1) -> .mean(axis=1)",
        },
        on(
            (*entropy(ROWS), ROWS, np.array([0, 2, 1, 1])),
            (*parabola(ROWS), ROWS, np.array([2, 0, 0, 1])),
            (*lopsided(FOUR), FOUR, np.array([3, 1])),
        ),
    ),
    Exercise(
        "best_turned",
        "write KL(p, q_x) out, and take the mean of the term that contains x.",
        {
            "That is the mean of the truths: it is best with the truth in the first place.": lambda q, w: w @ q,
            "The result does not sum to 1: divide by its sum.": "p / p.sum() -> p",
            "The weights are missing: you took the plain mean of the logarithms.": (
                "w @ np.log(q) -> np.log(q).mean(axis=0)"
            ),
            "You added the logarithms without weights: that is a product of the truths, far too sure.": (
                "w @ np.log(q) -> np.log(q).sum(axis=0)"
            ),
            "These are mean logarithms. Take e to their power.": (
                "np.exp(w @ np.log(q)) -> w @ np.log(q); p / p.sum() -> p"
            ),
            "You made the mean logarithms sum to 1. Take e to their power first.": (
                "np.exp(w @ np.log(q)) -> w @ np.log(q)"
            ),
            "That is the softmax of the mean of q: the logarithm is missing.": "np.log(q) -> q",
            "That is the harmonic mean. Here the logarithms are averaged, not the reciprocals.": (
                lambda q, w: (1 / (w @ (1 / q))) / (1 / (w @ (1 / q))).sum()
            ),
        },
        on(
            (ROWS, np.array([0.1, 0.2, 0.3, 0.4])),
            (FOUR, np.array([0.7, 0.3])),
            (np.array([[1e-6, 1 - 1e-6], [0.5, 0.5]]), np.array([0.5, 0.5])),
        ),
    ),
]
