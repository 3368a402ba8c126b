"""Exercises of the lesson on squared, absolute and Huber error, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on

_R = np.array([-30.0, -2.0, -0.1, 0.0, 0.4, 3.0, 500.0])


def _pseudo(r, delta):
    root = np.sqrt(1 + (r / delta) ** 2)
    return delta**2 * (root - 1), r / root


def _huber(r, delta):
    near = np.abs(r) <= delta
    return np.where(near, r**2 / 2, delta * (np.abs(r) - delta / 2)), np.clip(r, -delta, delta)


pseudo = Exercise(
    "pseudo_huber",
    "differentiate the root first; what does the inner derivative bring?",
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
        "The value is right. In the gradient nothing of the inner derivative's 1 / delta^2 is left.": lambda r, d: (
            _pseudo(r, d)[0],
            d**2 * _pseudo(r, d)[1],
        ),
        "The value is right. The factor delta^2 in front is missing from the gradient.": lambda r, d: (
            _pseudo(r, d)[0],
            _pseudo(r, d)[1] / d**2,
        ),
        "The value is right. In the gradient, one delta too many is divided out.": lambda r, d: (
            _pseudo(r, d)[0],
            _pseudo(r, d)[1] / d,
        ),
        "The value is right. Under the root of the gradient stands (r / delta)^2, not r^2.": lambda r, d: (
            _pseudo(r, d)[0],
            _pseudo(r, 1.0)[1],
        ),
        "The value is right. The gradient has the root below the line, not its square.": lambda r, d: (
            _pseudo(r, d)[0],
            r / (1 + (r / d) ** 2),
        ),
    },
    on((_R, 1.0), (_R, 0.25), (_R, 4.0), (np.array([0.7, -5.0]), 0.5)),
    returns=2,
)


def _median(y, w):
    order = np.argsort(y)
    reached = np.cumsum(w[order]) >= np.sum(w) / 2
    return y[order][np.argmax(reached)]


def _lowest(y, w, cost):
    """The y at which this cost is lowest."""
    return y[np.argmin([cost(c, y, w) for c in y])]


def _on_grid(y, w, grid):
    """The point of a grid at which the weighted absolute error is lowest."""
    return grid[np.argmin([np.sum(w * np.abs(c - y)) for c in grid])]


_Y = np.array([7.0, 1.0, 4.0, 30.0, 2.0])
_W = (
    *([1.0, 1, 1, 1, 1], [0.1, 5, 1, 1, 1], [1.0, 1, 1, 9, 1], [3.0, 1, 2, 2.5, 1], [0.4, 0.3, 0.6, 0.9, 0.2]),
    [2.0, 2.1, 0.6, 0.02, 1],  # here the order of w * y gives another answer than that of y
)


constant = Exercise(
    "best_constant",
    "let c grow from the smallest y on: where does the slope of the weighted sum change its sign?",
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
        "That is the y nearest to the weighted mean: square nothing here.": lambda y, w: _lowest(
            y, w, lambda c, y, w: np.sum(w * (c - y) ** 2)
        ),
        "Weights may be fractions: they cannot be rounded to whole copies.": lambda y, w: np.median(
            np.repeat(y, np.rint(w).astype(int))
        ),
        "Weights may be fractions: they cannot be cut down to whole copies.": lambda y, w: (
            np.median(np.repeat(y, w.astype(int))) if np.sum(w.astype(int)) else 0.0
        ),
        "Weights may be any fractions: copies for each tenth or hundredth are not fine enough.": lambda y, w: np.median(
            np.repeat(y, np.rint(100 * w).astype(int))
        ),
        "A grid of tenths misses the best c, which is one of the y.": lambda y, w: _on_grid(
            y, w, np.arange(0, 800) / 10
        ),
        "A grid misses the best c, which is one of the y.": lambda y, w: _on_grid(
            y, w, np.linspace(y.min(), y.max(), 1001)
        ),
    },
    # last: y off every grid, and half of the weight reached by a hair, or missed: copies cannot stand for weights
    on(
        *((_Y, np.array(w)) for w in _W),
        *((np.pi * (_Y - 5), np.array([0.7, 1.0, 0.5, 0.8, w])) for w in (1.00013, 0.99987)),
    ),
)

rate = Exercise(
    "lr_for",
    "how many numbers are averaged in each case? The gradients must be multiplied to the same step.",
    {
        "The other way round: the sum's gradient is larger, so its rate is smaller.": lambda lr, shape: (
            lr * shape[0] * shape[1],
            lr * shape[1],
            lr / 2,
        ),
        "The half is right. The gradients of the two sums are larger, so their rates are smaller.": lambda lr, shape: (
            lr * shape[0] * shape[1],
            lr * shape[1],
            lr * 2,
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
        "One minimiser, but not one step: the gradients differ, and so must the rates.": lambda lr, shape: (lr,) * 3,
        "Half of the mean has half the gradient: its rate is not that of the mean.": lambda lr, shape: (
            lr / (shape[0] * shape[1]),
            lr / shape[1],
            lr,
        ),
        "Summed over an example is not PyTorch's mean: see the table on step 3.": lambda lr, shape: (
            lr / (shape[0] * shape[1]),
            lr,
            lr * 2,
        ),
        "The sum over an example has the larger gradient: its rate is smaller.": lambda lr, shape: (
            lr / (shape[0] * shape[1]),
            lr * shape[1],
            lr * 2,
        ),
        "The sum over everything has all the numbers, not only the examples.": lambda lr, shape: (
            lr / shape[0],
            lr / shape[1],
            lr * 2,
        ),
        "That fits the table's 4 x 3 numbers; use `shape`.": lambda lr, shape: (lr / 12, lr / 3, lr * 2),
    },
    on((0.3, (4, 3)), (2.0, (10, 7))),
    returns=3,
)

EXERCISES = [pseudo, constant, rate]
