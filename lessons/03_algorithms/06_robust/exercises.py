"""Exercises of the lesson on robust and quantile regression, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _loaves(y, short, left):
    return min(np.sort(y), key=lambda c: np.sum(short * np.maximum(y - c, 0) + left * np.maximum(c - y, 0)))


def _try_loaves(answer):
    y = np.array([31.0, 12.0, 25.0, 31.0, 18.0, 90.0, 22.0])
    found = [answer(y, short, left) for short, left in ((0.3, 1.2), (4.5, 0.5), (2.0, 2.0), (3.0, 2.0))]
    even = answer(np.array([29.0, 7.0, 40.0, 11.0]), 2.0, 2.0)  # from 11 to 29 all cost the same, and two are a y
    return [*found, np.where(np.equal(even, 29), 11.0, even)]


def _at(y, q):
    y = np.sort(y)
    return y[np.argmax(np.arange(1, len(y) + 1) / len(y) >= q)]


loaves = Exercise(
    "loaves",
    "what does one more loaf cost on a day with too few, and on a day with too many?",
    {
        "The two costs are swapped: when a missing loaf is dear, bake more.": lambda y, s, b: _loaves(y, b, s),
        'np.quantile goes between two demands unless told otherwise: method="inverted_cdf".': lambda y, s, b: (
            np.quantile(y, s / (s + b))
        ),
        "That is the median: it ignores the costs.": lambda y, s, b: np.median(y),
        "That is the mean of the demands: it ignores the costs.": lambda y, s, b: np.mean(y),
        "q is a share: short / (short + left), not short / left.": lambda y, s, b: _at(y, min(s / b, 1.0)),
        "A demand that came twice counts twice; np.unique and set keep it once.": lambda y, s, b: _at(
            np.unique(y), s / (s + b)
        ),
        "The quantile has the rank q len(y), rounded up; yours comes from q (len(y) - 1).": lambda y, s, b: np.quantile(
            y, s / (s + b), method="lower"
        ),
        'method="higher" rounds q (len(y) - 1) up; the rank is q len(y), rounded up.': lambda y, s, b: np.quantile(
            y, s / (s + b), method="higher"
        ),
        "That is the demand right below the best one.": lambda y, s, b: np.sort(y)[
            max(np.searchsorted(np.sort(y), _loaves(y, s, b)) - 1, 0)
        ],
        "That is the lowest cost; the number of loaves is asked for.": lambda y, s, b: np.sum(
            s * np.maximum(y - _loaves(y, s, b), 0) + b * np.maximum(_loaves(y, s, b) - y, 0)
        ),
        "That is a position in y; the number of loaves stands there.": lambda y, s, b: np.argmax(y == _loaves(y, s, b)),
        "That is the share q; the number of loaves is the quantile at q.": lambda y, s, b: s / (s + b),
        "Sort the demands first; days come in any order.": lambda y, s, b: y[int(s / (s + b) * len(y))],
    },
    _try_loaves,
)


def _expectile(pred, target, q):
    r = pred - target
    w = np.where(r > 0, 1 - q, q)
    return w * r**2, 2 * w * r


_PRED, _TARGET = np.array([-40.0, -1.0, 0.3, 2.0, 70.0]), np.array([3.0, 2.0, 0.1, -5.0, 1.0])

expectile = Exercise(
    "expectile_loss",
    "on which side of the target does the weight q belong?",
    {
        "The weights are swapped: r > 0 has 1 - q.": lambda p, t, q: _expectile(p, t, 1 - q),
        "The value is right. The slope of w r^2 has a factor 2.": lambda p, t, q: (
            _expectile(p, t, q)[0],
            _expectile(p, t, q)[1] / 2,
        ),
        "That is the quantile loss; here r is squared.": lambda p, t, q: (
            np.where(p > t, 1 - q, q) * np.abs(p - t),
            np.where(p > t, 1 - q, -q),
        ),
        "The sign of the slope is wrong: r is prediction less target.": lambda p, t, q: (
            _expectile(p, t, q)[0],
            -_expectile(p, t, q)[1],
        ),
        "q does not enter: that is the squared error.": lambda p, t, q: ((p - t) ** 2, 2 * (p - t)),
        "Where r is not above 0 the weight is q, without a sign: the square is positive.": lambda p, t, q: (
            np.where(p > t, 1 - q, -q) * (p - t) ** 2,
            2 * np.where(p > t, 1 - q, -q) * (p - t),
        ),
        "That is half of it: the loss is w r^2, without 1/2.": lambda p, t, q: tuple(
            v / 2 for v in _expectile(p, t, q)
        ),
        "The slope has lost its sign: below the target it is negative.": lambda p, t, q: (
            _expectile(p, t, q)[0],
            np.abs(_expectile(p, t, q)[1]),
        ),
        "The value is right. The slope of w r^2 is 2 w r; yours is the quantile loss's.": lambda p, t, q: (
            _expectile(p, t, q)[0],
            np.where(p > t, 1 - q, -q),
        ),
        "The value is right; the weight is missing in its slope.": lambda p, t, q: (
            _expectile(p, t, q)[0],
            2 * (p - t),
        ),
        "Turned around: r is prediction less target, here it is target less prediction.": lambda p, t, q: _expectile(
            t, p, q
        ),
        "First the value, then the slope.": lambda p, t, q: _expectile(p, t, q)[::-1],
        "One value and one slope for each example; yours are means.": lambda p, t, q: tuple(
            np.mean(v) for v in _expectile(p, t, q)
        ),
        "One value and one slope for each example; yours are sums.": lambda p, t, q: tuple(
            np.sum(v) for v in _expectile(p, t, q)
        ),
        "The weight enters once; yours is squared with r.": lambda p, t, q: (
            (np.where(p > t, 1 - q, q) * (p - t)) ** 2,
            2 * np.where(p > t, 1 - q, q) ** 2 * (p - t),
        ),
    },
    on((_PRED, _TARGET, 0.5), (_PRED, _TARGET, 0.9), (_PRED, _TARGET, 0.05), (_TARGET[:3], _PRED[1:4], 0.2)),
    returns=2,
)


def _solve(x, y, w):
    return np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))


def _steps(theta, x, y, c, n):
    for _ in range(n):
        theta = _solve(x, y, 1 / ((x @ theta - y) ** 2 / 2 + c**2))
    return theta


def _try_reweighted(answer):
    rng = np.random.default_rng(0)
    x, theta = np.c_[rng.normal(size=(12, 2)), np.ones(12)], np.array([0.5, -1.0, 0.2])
    y = x @ np.array([1.0, -2.0, 0.5]) + 30 * (np.arange(12) % 4 == 0) + 0.1 * rng.normal(size=12)
    return [answer(theta, x, y, c) for c in (1.0, 0.3, 5.0)] + [answer(-2 * theta, x[:7], y[5:], 2.0)]


reweighted = Exercise(
    "reweighted",
    "what is the slope at alpha = 0, divided by r? Far residuals must get small weights.",
    {
        "That is ordinary least squares; the weights are missing.": lambda theta, x, y, c: _solve(
            x, y, np.ones(len(y))
        ),
        "The scale c does not enter.": lambda theta, x, y, c: _solve(x, y, 1 / ((x @ theta - y) ** 2 / 2 + 1)),
        "The factor 1/2 under the logarithm is lost.": lambda theta, x, y, c: _solve(
            x, y, 1 / ((x @ theta - y) ** 2 + c**2)
        ),
        "Those are the slopes; the weights are the slope divided by r.": lambda theta, x, y, c: _solve(
            x, y, (x @ theta - y) / ((x @ theta - y) ** 2 / 2 + c**2)
        ),
        "Those are the weights of alpha = 1.": lambda theta, x, y, c: _solve(
            x, y, 1 / np.sqrt(((x @ theta - y) / c) ** 2 + 1)
        ),
        "Those are the weights of the absolute error.": lambda theta, x, y, c: _solve(x, y, 1 / np.abs(x @ theta - y)),
        "The weights enter once, not squared: weigh X or its transpose, not both.": lambda theta, x, y, c: _solve(
            x, y, 1 / ((x @ theta - y) ** 2 / 2 + c**2) ** 2
        ),
        "That is the slope's slope; the weight is the slope divided by r.": lambda theta, x, y, c: _solve(
            x, y, (c**2 - (x @ theta - y) ** 2 / 2) / ((x @ theta - y) ** 2 / 2 + c**2) ** 2
        ),
        "Far residuals must get small weights; yours are turned around.": lambda theta, x, y, c: _solve(
            x, y, (x @ theta - y) ** 2 / 2 + c**2
        ),
        "The weights are right, but y must be weighed too: Xᵀ W y.": lambda theta, x, y, c: np.linalg.solve(
            x.T @ ((1 / ((x @ theta - y) ** 2 / 2 + c**2))[:, None] * x), x.T @ y
        ),
        "That is the change from theta to theta'; the minimiser theta' itself is asked for.": lambda theta, x, y, c: (
            _steps(theta, x, y, c, 1) - theta
        ),
        "Those are the weights of alpha = -2.": lambda theta, x, y, c: _solve(
            x, y, 1 / (((x @ theta - y) / c) ** 2 / 4 + 1) ** 2
        ),
        "Those are the roots of the weights: lstsq wants them, the normal equations do not.": lambda theta, x, y, c: (
            _solve(x, y, 1 / np.sqrt((x @ theta - y) ** 2 / 2 + c**2))
        ),
        "One step is asked for; this is where many steps lead.": lambda theta, x, y, c: _steps(theta, x, y, c, 100),
        "One step is asked for; these are two.": lambda theta, x, y, c: _steps(theta, x, y, c, 2),
        "The minimiser is theta' itself; do not add it to theta.": lambda theta, x, y, c: (
            theta + _steps(theta, x, y, c, 1)
        ),
        "c enters squared: it divides r, and then both are squared.": lambda theta, x, y, c: _solve(
            x, y, 1 / ((x @ theta - y) ** 2 / 2 + c)
        ),
        "Those are the sizes of the slopes; divide the slope by r.": lambda theta, x, y, c: _solve(
            x, y, np.abs(x @ theta - y) / ((x @ theta - y) ** 2 / 2 + c**2)
        ),
        "Those are the values of the loss; the weights are its slope divided by r.": lambda theta, x, y, c: _solve(
            x, y, np.log(((x @ theta - y) / c) ** 2 / 2 + 1)
        ),
        "The weights belong to the residuals of the given theta, not to y alone.": lambda theta, x, y, c: _steps(
            0 * theta, x, y, c, 1
        ),
        "Those are the weights themselves; the parameters of the weighted fit are asked for.": lambda theta, x, y, c: (
            1 / ((x @ theta - y) ** 2 / 2 + c**2)
        ),
    },
    _try_reweighted,
)

EXERCISES = [loaves, expectile, reweighted]
