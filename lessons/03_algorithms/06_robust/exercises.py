"""Exercises of the lesson on robust and quantile regression."""

import numpy as np

from lessons_lib.exercises import Exercise, on

PRED, TARGET = np.array([-40.0, -1.0, 0.3, 2.0, 70.0]), np.array([3.0, 2.0, 0.1, -5.0, 1.0])


def days(answer):
    y = np.array([31.0, 12.0, 25.0, 31.0, 18.0, 90.0, 22.0])
    found = [answer(y, short, left) for short, left in ((0.3, 1.2), (4.5, 0.5), (2.0, 2.0), (3.0, 2.0))]
    even = answer(np.array([29.0, 7.0, 40.0, 11.0]), 2.0, 2.0)  # from 11 to 29 all cost the same, and two are a y
    return [*found, np.where(np.equal(even, 29), 11.0, even)]


def fits(answer):
    rng = np.random.default_rng(0)
    x, theta = np.c_[rng.normal(size=(12, 2)), np.ones(12)], np.array([0.5, -1.0, 0.2])
    y = x @ np.array([1.0, -2.0, 0.5]) + 30 * (np.arange(12) % 4 == 0) + 0.1 * rng.normal(size=12)
    return [answer(theta, x, y, c) for c in (1.0, 0.3, 5.0)] + [answer(-2 * theta, x[:7], y[5:], 2.0)]


QUANTILE = "y[np.argmax(np.arange(1, len(y) + 1) / len(y) >= q)]"

EXERCISES = [
    Exercise(
        "loaves",
        "what does one more loaf cost on a day with too few, and on a day with too many?",
        {
            "The two costs are swapped: when a missing loaf is dear, bake more.": "short <-> left",
            'np.quantile goes between two demands unless told otherwise: method="inverted_cdf".': (
                f"{QUANTILE} -> np.quantile(y, q)"
            ),
            "That is the median: it ignores the costs.": f"{QUANTILE} -> np.median(y)",
            "That is the mean of the demands: it ignores the costs.": f"{QUANTILE} -> np.mean(y)",
            "q is a share: short / (short + left), not short / left.": "short / (short + left) -> min(short / left, 1)",
            "A demand that came twice counts twice; np.unique and set keep it once.": "np.sort -> np.unique",
            "The quantile has the rank q len(y), rounded up; yours comes from q (len(y) - 1).": (
                f"{QUANTILE} -> np.quantile(y, q, method='lower')"
            ),
            "That is a position in y; the number of loaves stands there.": (
                f"return {QUANTILE} -> return {QUANTILE[2:-1]}"
            ),
            "That is the share q; the number of loaves is the quantile at q.": f"{QUANTILE} -> q",
            "Sort the demands first; days come in any order.": lambda y, s, b: y[int(s / (s + b) * len(y))],
        },
        days,
    ),
    Exercise(
        "expectile_loss",
        "on which side of the target does the weight q belong?",
        {
            "The weights are swapped: r > 0 has 1 - q.": "1 - q, q -> q, 1 - q",
            "The value is right. The slope of w r^2 has a factor 2.": "2 * w -> w",
            "That is the quantile loss; here r is squared.": (
                "w * r**2, 2 * w * r -> w * np.abs(r), np.where(r > 0, 1 - q, -q)"
            ),
            "The sign of the slope is wrong: r is prediction less target.": "2 * w -> -2 * w",
            "q does not enter: that is the squared error.": "np.where(r > 0, 1 - q, q) -> 1",
            "Where r is not above 0 the weight is q, without a sign: the square is positive.": "1 - q, q -> 1 - q, -q",
            "That is half of it: the loss is w r^2, without 1/2.": "w * r**2, 2 * w * r -> w * r**2 / 2, w * r",
            "The value is right; the weight is missing in its slope.": "2 * w * r -> 2 * r",
            "One value and one slope for each example; yours are means.": (
                "w * r**2, 2 * w * r -> np.mean(w * r**2), np.mean(2 * w * r)"
            ),
            "The weight enters once; yours is squared with r.": ("w * r**2, 2 * w * r -> (w * r) ** 2, 2 * w**2 * r"),
        },
        on((PRED, TARGET, 0.5), (PRED, TARGET, 0.9), (PRED, TARGET, 0.05), (TARGET[:3], PRED[1:4], 0.2)),
        returns=2,
    ),
    Exercise(
        "reweighted",
        "what is the slope at alpha = 0, divided by r? Far residuals must get small weights.",
        {
            "That is ordinary least squares; the weights are missing.": "1 / (r**2 / 2 + c**2) -> np.ones(len(y))",
            "The scale c does not enter.": "c**2 -> 1",
            "The factor 1/2 under the logarithm is lost.": "r**2 / 2 -> r**2",
            "Those are the slopes; the weights are the slope divided by r.": "w = 1 -> w = r",
            "Those are the weights of the absolute error.": "1 / (r**2 / 2 + c**2) -> 1 / np.abs(r)",
            "Far residuals must get small weights; yours are turned around.": (
                "1 / (r**2 / 2 + c**2) -> r**2 + 2 * c**2"
            ),
            "The weights are right, but y must be weighed too: Xᵀ W y.": "(w * y) -> y",
            "c enters squared: it divides r, and then both are squared.": "c**2 -> c",
            "The minimiser is theta' itself; do not add it to theta.": "return -> return theta +",
            "Those are the weights themselves; the parameters of the weighted fit are asked for.": (
                "np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y)) -> w"
            ),
        },
        fits,
    ),
]
