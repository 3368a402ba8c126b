"""Exercises of the lesson on a slope that does not fade."""

import numpy as np

from lessons_lib.exercises import Exercise, on

_R = np.array([-30.0, -2.0, -0.1, 0.0, 0.4, 3.0, 500.0])
_Y = np.array([7.0, 1.0, 4.0, 30.0, 2.0])
_W = (
    *([1.0, 1, 1, 1, 1], [0.1, 5, 1, 1, 1], [1.0, 1, 1, 9, 1], [3.0, 1, 2, 2.5, 1], [0.4, 0.3, 0.6, 0.9, 0.2]),
    [2.0, 2.1, 0.6, 0.02, 1],  # here the order of w * y gives another answer than that of y
)


def _huber(r, delta):
    near = np.abs(r) <= delta
    return np.where(near, r**2 / 2, delta * (np.abs(r) - delta / 2)), np.clip(r, -delta, delta)


EXERCISES = [
    Exercise(
        "hover",
        "write down the residuals of the first four steps.",
        {
            "That is the residual now. It is as small only in every second step.": 0.1,
            "That is the size of the residual after every first step; after every second it is 0.1.": 0.3,
            "The residual does not shrink: the slope is as large near the target as far from it.": 0.0,
            "The mean of the residuals; the absolute error forgets their sign.": "0.3 -> -0.3",
            "That is the length of a step.": "(0.3 + 0.1) / 2 -> 0.4",
        },
    ),
    Exercise(
        "pseudo_huber",
        "differentiate the root first; what does the inner derivative bring?",
        {
            "That is Huber's loss itself, with its seams.": _huber,
            "The - 1 is missing: no residual costs nothing.": "(root - 1) -> root",
            "delta^2 multiplies the whole bracket, the - 1 too.": "(root - 1) -> root - 1",
            "delta enters squared in front of the root.": "delta**2 -> delta",
            "Under the root, delta must be squared along with r.": "(r / delta) ** 2 -> r**2 / delta",
            "The value is right. In the gradient the inner derivative, 2 r / delta^2, is missing.": (
                "r / root -> delta**2 / (2 * root)"
            ),
            "The value is right. A root has the derivative 1 / (2 root): the gradient is twice too large.": (
                "r / root -> 2 * r / root"
            ),
            "The value is right. The derivative of r^2 is 2 r: the gradient is half of what it should be.": (
                "r / root -> r / (2 * root)"
            ),
            "The value is right. In the gradient nothing of the inner derivative's 1 / delta^2 is left.": (
                "r / root -> delta**2 * r / root"
            ),
            "The value is right. The gradient has the root below the line, not its square.": "r / root -> r / root**2",
        },
        on((_R, 1.0), (_R, 0.25), (_R, 4.0), (np.array([0.7, -5.0]), 0.5)),
        returns=2,
    ),
    Exercise(
        "best_constant",
        "let c grow from the smallest y on: where does the slope of the weighted sum change its sign?",
        {
            "That is the weighted mean: it minimises the squared error.": lambda y, w: np.sum(w * y) / np.sum(w),
            "That is the plain median; the weights are not used.": lambda y, w: np.median(y),
            "The weights must be sorted along with the values.": "w[order] -> w",
            "The values must be sorted before their weights are added up.": "np.argsort(y) -> np.arange(len(y))",
            "Sort by the values; you sorted by the weights.": "np.argsort(y) -> np.argsort(w)",
            "Sort by the values alone; you sorted by weight times value.": "np.argsort(y) -> np.argsort(w * y)",
            "Half of the whole weight is np.sum(w) / 2; the weights do not add up to 1.": "np.sum(w) / 2 -> 0.5",
            "Half of the whole weight is wanted, not half of the number of values.": "np.sum(w) / 2 -> len(y) / 2",
            "That is one place too early: stop where half is reached, not before.": "(reached) -> (reached) - 1",
            "The place was found among the sorted values: look it up there, not in y as it came.": "y[order] -> y",
        },
        # last: y off every grid, and half of the weight reached by a hair, or missed: copies cannot stand for weights
        on(
            *((_Y, np.array(w)) for w in _W),
            *((np.pi * (_Y - 5), np.array([0.7, 1.0, 0.5, 0.8, w])) for w in (1.00013, 0.99987)),
        ),
    ),
]
