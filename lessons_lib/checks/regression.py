"""Exercises of the lesson on squared, absolute and Huber error, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise, on

LESSON = "03_algorithms/05_regression"


_R = np.array([-30.0, -2.0, -0.1, 0.0, 0.4, 3.0, 500.0])


def _pseudo(r, delta):
    root = np.sqrt(1 + (r / delta) ** 2)
    return delta**2 * (root - 1), r / root


def _huber(r, delta):
    near = np.abs(r) <= delta
    return np.where(near, r**2 / 2, delta * (np.abs(r) - delta / 2)), np.clip(r, -delta, delta)


pseudo = Exercise(
    "pseudo_huber",
    LESSON,
    "differentiate the root first; what does the inner derivative bring?",
    _pseudo,
    {
        "That is Huber's loss itself, with its seams.": _huber,
        "The sign of the gradient is wrong.": lambda r, d: (_pseudo(r, d)[0], -_pseudo(r, d)[1]),
        "delta enters squared in front of the root.": lambda r, d: (_pseudo(r, d)[0] / d, _pseudo(r, d)[1]),
        "The - 1 is missing: no residual costs nothing.": lambda r, d: (_pseudo(r, d)[0] + d**2, _pseudo(r, d)[1]),
        "The value is right. In the gradient the inner derivative, 2 r / delta^2, is missing.": lambda r, d: (
            _pseudo(r, d)[0],
            d**2 / (2 * np.sqrt(1 + (r / d) ** 2)),
        ),
        "The value is right. That is Huber's gradient; this one has no seam.": lambda r, d: (
            _pseudo(r, d)[0],
            _huber(r, d)[1],
        ),
        "The value is right. A root has the derivative 1 / (2 root): the gradient is twice too large.": lambda r, d: (
            _pseudo(r, d)[0],
            2 * _pseudo(r, d)[1],
        ),
        "Return the value first, then the gradient.": lambda r, d: _pseudo(r, d)[::-1],
    },
    on((_R, 1.0), (_R, 0.25), (_R, 4.0)),
    returns=2,
)


def _median(y, w):
    order = np.argsort(y)
    reached = np.cumsum(w[order]) >= np.sum(w) / 2
    return y[order][np.argmax(reached)]


def _weighted(answer):
    y = np.array([7.0, 1.0, 4.0, 30.0, 2.0])
    return [
        answer(y, np.array(w))
        for w in (
            [1.0, 1, 1, 1, 1],
            [0.1, 5, 1, 1, 1],
            [1.0, 1, 1, 9, 1],
            [3.0, 1, 2, 2.5, 1],
            [0.4, 0.3, 0.6, 0.9, 0.2],
        )
    ]


constant = Exercise(
    "best_constant",
    LESSON,
    "at the best c the weights above and below it balance; which c is that?",
    _median,
    {
        "That is the weighted mean: it minimises the squared error.": lambda y, w: np.sum(w * y) / np.sum(w),
        "The weights must be sorted along with the values.": lambda y, w: np.sort(y)[
            np.argmax(np.cumsum(w) >= np.sum(w) / 2)
        ],
        "That is the plain median; the weights are not used.": lambda y, w: np.median(y),
        "That is the median of weight times value; weights count, they do not scale.": lambda y, w: np.median(w * y),
        "The values must be sorted before their weights are added up.": lambda y, w: y[
            np.argmax(np.cumsum(w) >= np.sum(w) / 2)
        ],
        "The one with the largest weight wins only if it holds half of the weight.": lambda y, w: y[np.argmax(w)],
    },
    _weighted,
)

rate = Exercise(
    "lr_for",
    LESSON,
    "how many numbers are averaged in each case? The gradients must be multiplied to the same step.",
    lambda lr, shape: (lr / (shape[0] * shape[1]), lr / shape[1], lr * 2),
    {
        "The other way round: the sum's gradient is larger, so its rate is smaller.": lambda lr, shape: (
            lr * shape[0] * shape[1],
            lr * shape[1],
            lr / 2,
        ),
        "Half the loss has half the gradient, so it needs twice the rate.": lambda lr, shape: (
            lr / (shape[0] * shape[1]),
            lr / shape[1],
            lr / 2,
        ),
        "Another order is wanted: everything, then an example, then half.": lambda lr, shape: (
            lr / shape[1],
            lr / (shape[0] * shape[1]),
            lr * 2,
        ),
        "PyTorch's mean is over all numbers, not over the examples.": lambda lr, shape: (lr / shape[0], lr, lr * 2),
        "The sum over columns multiplies the gradient by their number, not by the number of rows.": lambda lr, shape: (
            lr / (shape[0] * shape[1]),
            lr / shape[0],
            lr * 2,
        ),
    },
    on((0.3, (4, 3)), (2.0, (10, 7))),
    returns=3,
)

EXERCISES = [pseudo, constant, rate]
