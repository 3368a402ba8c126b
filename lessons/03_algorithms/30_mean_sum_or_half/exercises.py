"""Exercises of the lesson on means, sums and halves."""

import numpy as np

from lessons_lib.exercises import Exercise, on

_PRED = np.array([[0.5, -2.0, 3.0], [1.0, 0.0, 40.0]])

EXERCISES = [
    Exercise(
        "collapsed",
        "every prediction is pulled to the mean of all targets.",
        {
            "That is the middle value. Squared error asks for the mean.": 2.5,
            "That is the sum of the targets.": "(1 + 2 + 3 + 14) / 4 -> 1 + 2 + 3 + 14",
            "Each prediction meets all targets, not only its own.": [1.0, 2.0, 3.0, 14.0],
            "That is the slope at the start, not the place where it is 0.": -2.5,
        },
    ),
    Exercise(
        "my_mse",
        "np.mean of the squares; the slope of one square is 2 r.",
        {
            "That is the sum over everything.": "np.mean(r**2), 2 * r / r.size -> np.sum(r**2), 2 * r",
            "That sums over an example and averages over the examples.": (
                "np.mean(r**2), 2 * r / r.size -> np.sum(r**2) / len(r), 2 * r / len(r)"
            ),
            "That is half of the mean.": "np.mean(r**2), 2 * r / r.size -> np.mean(r**2) / 2, r / r.size",
            "One number is wanted, the mean: that is the squared error of each.": "np.mean(r**2) -> r**2",
            "That is the root of the mean squared error.": "np.mean(r**2) -> np.sqrt(np.mean(r**2))",
            "The value is right. The slope of a mean is divided as the mean is.": "2 * r / r.size -> 2 * r",
            "The value is right. The mean is over all numbers, so the slope is divided by all, not by the examples.": (
                "r.size -> len(r)"
            ),
            "The value is right. The slope of r^2 is 2 r.": "2 * r / r.size -> r / r.size",
            "The value is right. The residual is prediction less target: the slope has the wrong sign.": (
                "2 * r / r.size -> -2 * r / r.size"
            ),
        },
        on((_PRED, 0 * _PRED + 1), (_PRED[:, :1], _PRED[:, 1:2]), (_PRED.T, 3 - _PRED.T)),
        returns=2,
    ),
    Exercise(
        "lr_for",
        "how many numbers are averaged in each case? The gradients must be multiplied to the same step.",
        {
            "The half is right. The gradients of the two sums are larger, so their rates are smaller.": (
                "lr / (shape[0] -> lr * (shape[0]; lr / shape[1] -> lr * shape[1]"
            ),
            "The other way round: the sum's gradient is larger, so its rate is smaller; the half's is smaller.": (
                "lr / (shape[0] -> lr * (shape[0]; lr / shape[1] -> lr * shape[1]; lr * 2 -> lr / 2"
            ),
            "Half the loss has half the gradient, so it needs twice the rate.": "lr * 2 -> lr / 2",
            "Half of the mean has half the gradient: its rate is not that of the mean.": "lr * 2 -> lr",
            "Another order is wanted: everything, then an example, then half.": (
                "lr / (shape[0] * shape[1]), lr / shape[1] -> lr / shape[1], lr / (shape[0] * shape[1])"
            ),
            "PyTorch's mean is over all numbers, not over the examples.": (
                "lr / (shape[0] * shape[1]), lr / shape[1] -> lr / shape[0], lr"
            ),
            "The sum over an example has as many terms as it has numbers.": ", lr / shape[1] -> , lr / shape[0]",
            "One minimiser, but not one step: the gradients differ, and so must the rates.": lambda lr, _: (lr,) * 3,
            "Summed over an example is not PyTorch's mean: see the table.": ", lr / shape[1] -> , lr",
            "The sum over everything has all the numbers, not only the examples.": "(shape[0] * shape[1]) -> shape[0]",
        },
        on((0.3, (4, 3)), (2.0, (10, 7))),
        returns=3,
    ),
]
