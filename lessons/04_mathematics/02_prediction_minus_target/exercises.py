"""Exercises of the lesson on prediction minus target."""

import numpy as np

from lessons_lib.exercises import Exercise, on
from lessons_lib.losses import absolute_error, binary_cross_entropy, huber, poisson_nll, squared_error


def slopes(z, y, *losses):
    grid = np.meshgrid(z, y, indexing="ij")
    return np.array([loss(*grid) for loss in losses])


def late(z, y):  # prediction minus target, but for the last z, where half of the target is left out
    return np.sin(z) - y * np.where(z == z.max(), 0.5, 1.0)


def nearly(z, y):  # off by a twentieth
    return np.exp(z) - 1.05 * y


def bent(z, y):  # right for the targets 0 and 1 alone
    return np.sin(z) - y**2


def turning(z, y):  # right in the mean over z
    return np.exp(z) - y * (1 + 0.3 * (z - z.mean()))


Z, Y = np.linspace(-2, 2.5, 6), np.array([0.0, 0.5, 0.8, 1.0])
SMALL = slopes(  # a verdict shows the first four: the strangers that are easiest to miss
    Z,
    Y,
    lambda z, y: binary_cross_entropy(z, y).grad,
    bent,
    lambda z, y: squared_error(z, y).grad,
    turning,
    lambda z, y: squared_error(z, y).grad / 2,
    lambda z, y: binary_cross_entropy(z, y, pos_weight=2.0).grad,
    lambda z, y: np.tanh(z) + 0 * y,
    late,
    lambda z, y: -squared_error(z, y).grad / 2,
    nearly,
)
COUNTS = np.array([0.0, 1.0, 7.0])
LARGE = slopes(
    np.array([-1.0, 0.5, 1.5, 2.0, 3.0]),
    COUNTS,
    lambda z, y: huber(z, y, delta=5.0).grad,
    lambda z, y: poisson_nll(z, y).grad,
    lambda z, y: absolute_error(z, y).grad,
    lambda z, y: np.sin(3 * z) - y,
)

EXERCISES = [
    Exercise(
        "failures_loss",
        "write q to the power y as e to the power of something times y: that is z.",
        {
            "The sign of A: the factor 1 - q is e to the power -A.": "-np.log(1 - q) -> np.log(1 - q)",
            "z y is taken off A: the probability has e to the power z y - A.": "- z * y -> + z * y",
            "q is not the sigmoid of z here: the tilt e^(z y) must be q^y.": "np.exp(z) -> 1 / (1 + np.exp(-z))",
            "That mean is upside down: the more failures are likely, the larger it is.": "q / (1 - q) -> (1 - q) / q",
            "That is the mean number of tries. Failures are one fewer.": "q / (1 - q) -> 1 / (1 - q)",
            "That is the probability of a failure. The prediction is the mean of y, the slope of A.": (
                "q / (1 - q) -> q"
            ),
            "The slope is prediction minus target, not the other way round.": "q / (1 - q) - y -> y - q / (1 - q)",
            "The slope is by z; yours is by q.": "q / (1 - q) - y -> 1 / (1 - q) - y / q",
            "Return the loss first, then its slope.": (
                "-np.log(1 - q) - z * y, q / (1 - q) - y -> q / (1 - q) - y, -np.log(1 - q) - z * y"
            ),
        },
        on(
            (np.array([-0.1, -1.0, -3.0]), np.array([0.0, 2.0, 1.0])),
            (np.array([-0.5, -0.7]), np.array([5.0, 0.0])),
        ),
        returns=2,
    ),
    Exercise(
        "family_loss",
        "a row for each example, a column for each outcome: w times e to the power z times outcome.",
        {
            "The weights multiply e^(z y).": "w * np.exp -> w + np.exp",
            "The weights are left out: they tell how likely an outcome is before tilting.": "w * np.exp -> np.exp",
            "A is the logarithm of the sum.": "np.log(total) -> total",
            "Each example has its own sum, that of its row.": "tilted.sum(axis=1) -> tilted.sum() + 0 * z",
            "The prediction is a mean: divide by the sum of the weights.": "outcomes / total - y -> outcomes - y",
            "Your prediction is the plain mean of the outcomes; it must weigh them by their probabilities.": (
                "tilted @ outcomes / total -> outcomes.mean()"
            ),
            "Your prediction is the most probable outcome. Wanted is the mean.": (
                "tilted @ outcomes / total -> outcomes[tilted.argmax(axis=1)]"
            ),
            "The slope is prediction minus target, not the other way round.": (
                "tilted @ outcomes / total - y -> y - tilted @ outcomes / total"
            ),
            "The line z y is taken off A.": "np.log(total) - z * y -> np.log(total)",
        },
        on(
            (
                np.array([-1.0, 0.0, 0.7, 2.0]),
                np.array([3.0, 1.0, 6.0, 5.0]),
                np.arange(1.0, 7.0),
                np.array([1.0, 1.0, 2.0, 1.0, 0.5, 0.25]),
            ),
            (np.array([0.3, -2.0]), np.array([0.0, 1.5]), np.array([-1.0, 0.0, 1.5]), np.array([0.2, 3.0, 1.0])),
        ),
        returns=2,
    ),
    Exercise(
        "same_kind",
        "add the target to the slope, and see what is left.",
        {
            "Add the target: slope = prediction - target, so slope + target is the prediction.": (
                "slopes + targets -> slopes - targets"
            ),
            "The prediction may change with z. It must not change with the target.": "axis=2 -> axis=1",
            "It must hold at every z, not at one of them only.": ".max(axis=1) -> .min(axis=1)",
            "You look at the first z only.": ".max(axis=1) -> [:, 0]",
            "You compare the first two targets only.": (
                "np.ptp(prediction, axis=2) -> np.abs(prediction[:, :, 1] - prediction[:, :, 0])"
            ),
            "The other way round: True where the prediction does not depend on the target.": "< 1e-3 -> > 1e-3",
            "Whether the slope depends on the target says nothing: it should, by exactly minus 1.": (
                "slopes + targets -> slopes"
            ),
            "One answer for each loss, not one for all.": (
                "np.ptp(prediction, axis=2).max(axis=1) -> np.ptp(prediction, axis=2).max()"
            ),
            "A factor is not allowed: twice prediction minus target is another slope.": (
                "slopes + targets -> slopes / (slopes[:, :1, :1] - slopes[:, :1, -1:]) + targets / targets.max()"
            ),
        },
        on((SMALL, Y), (LARGE, COUNTS)),
    ),
]
