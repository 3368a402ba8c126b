"""Exercises of the lesson on probabilistic regression, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _laplace(m, k, y):
    r, b = m - y, np.exp(k)
    return k + np.abs(r) / b, np.sign(r) / b, 1 - np.abs(r) / b


_M, _Y = np.array([-3.0, 0.5, 2.0, 8.0]), np.array([1.0, 0.2, -4.0, 7.5])

laplace = Exercise(
    "laplace_head",
    "where does k occur in the loss? Twice, and once inside an exponential.",
    {
        "The third slope is by b; by k the chain rule brings a factor b.": lambda m, k, y: (
            *_laplace(m, k, y)[:2],
            _laplace(m, k, y)[2] / np.exp(k),
        ),
        "log b is missing: without it the scale would grow without end.": lambda m, k, y: (
            _laplace(m, k, y)[0] - k,
            _laplace(m, k, y)[1],
            _laplace(m, k, y)[2] - 1,
        ),
        "The slope by m must be divided by b.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            np.sign(m - y),
            _laplace(m, k, y)[2],
        ),
        "k is the logarithm of the scale, not the scale.": lambda m, k, y: (
            np.log(np.abs(k)) + np.abs(m - y) / k,
            np.sign(m - y) / k,
            1 / k - np.abs(m - y) / k**2,
        ),
        "The sign of the slope by k is wrong: with a large error the scale should grow.": lambda m, k, y: (
            *_laplace(m, k, y)[:2],
            -_laplace(m, k, y)[2],
        ),
        "The slope by m has the wrong sign: r is prediction less target.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            -_laplace(m, k, y)[1],
            _laplace(m, k, y)[2],
        ),
        "The slope by k lacks the 1 that comes from log b = k.": lambda m, k, y: (
            *_laplace(m, k, y)[:2],
            _laplace(m, k, y)[2] - 1,
        ),
        "In the slope by k the derivative of exp(-k) is -exp(-k).": lambda m, k, y: (
            *_laplace(m, k, y)[:2],
            2 - _laplace(m, k, y)[2],
        ),
        "The library's laplace_nll keeps log 2, the formula here does not.": lambda m, k, y: (
            _laplace(m, k, y)[0] + np.log(2),
            *_laplace(m, k, y)[1:],
        ),
        "That is laplace_nll as it is: it keeps log 2, and its last slope is by b.": lambda m, k, y: (
            _laplace(m, k, y)[0] + np.log(2),
            _laplace(m, k, y)[1],
            _laplace(m, k, y)[2] / np.exp(k),
        ),
        "At r = 0 that slope by m is 0 / 0.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            (m - y) / np.abs(m - y) / np.exp(k),
            _laplace(m, k, y)[2],
        ),
        "At r = 0 the slope of |r| is to be 0, not -1.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            np.where(m > y, 1, -1) / np.exp(k),
            _laplace(m, k, y)[2],
        ),
        "At r = 0 the slope of |r| is to be 0, not 1.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            np.where(m < y, -1, 1) / np.exp(k),
            _laplace(m, k, y)[2],
        ),
        "The slope by m lacks the sign of r.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            1 / np.exp(k),
            _laplace(m, k, y)[2],
        ),
        "The slope of |r| is the sign of r, not r.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            (m - y) / np.exp(k),
            _laplace(m, k, y)[2],
        ),
        "The slope by k needs |r|, not r.": lambda m, k, y: (
            *_laplace(m, k, y)[:2],
            1 - (m - y) / np.exp(k),
        ),
        "In the slope by k, |r| is multiplied by b; it must be divided.": lambda m, k, y: (
            *_laplace(m, k, y)[:2],
            1 - np.abs(m - y) * np.exp(k),
        ),
        "Loss and slopes need |r|, not r: that loss has no least value.": lambda m, k, y: (
            k + (m - y) / np.exp(k),
            1 / np.exp(k),
            1 - (m - y) / np.exp(k),
        ),
        "That divides by exp(-k); the scale is exp(k).": lambda m, k, y: (
            k + np.abs(m - y) * np.exp(k),
            np.sign(m - y) * np.exp(k),
            1 + np.abs(m - y) * np.exp(k),
        ),
        "The order is loss, slope by m, slope by k.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            _laplace(m, k, y)[2],
            _laplace(m, k, y)[1],
        ),
        "The slopes are of each example's loss, not of the mean.": lambda m, k, y: (
            _laplace(m, k, y)[0],
            _laplace(m, k, y)[1] / len(y),
            _laplace(m, k, y)[2] / len(y),
        ),
        "That is a Gaussian's: the Laplace loss has |r|, not its square.": lambda m, k, y: (
            k + (m - y) ** 2 / (2 * np.exp(2 * k)),
            (m - y) / np.exp(2 * k),
            1 - (m - y) ** 2 / np.exp(2 * k),
        ),
    },
    on((_M, np.array([0.3, -1.0, 2.0, 0.7]), _Y), (np.append(_M, 1.5), np.full(5, -0.5), np.append(_Y, 1.5))),
    returns=3,
)


def _hours(z, hours, y):
    return np.exp(z) * hours - y * (z + np.log(hours)), np.exp(z) * hours - y


hours = Exercise(
    "with_hours",
    "what is the rate of all the hours together, and what is its logarithm?",
    {
        "The hours do not enter.": lambda z, h, y: (np.exp(z) - y * z, np.exp(z) - y),
        "That scales the loss by the hours; the expected count is what they scale.": lambda z, h, y: (
            h * (np.exp(z) - y * z),
            h * (np.exp(z) - y),
        ),
        "That divides the count by the hours first: long and short times then weigh alike.": lambda z, h, y: (
            np.exp(z) - y / h * z,
            np.exp(z) - y / h,
        ),
        "The slope is of each count's loss, not of the mean.": lambda z, h, y: (
            _hours(z, h, y)[0],
            _hours(z, h, y)[1] / len(y),
        ),
        "The slope is right. In the value the logarithm of the hours is missing.": lambda z, h, y: (
            np.exp(z) * h - y * z,
            _hours(z, h, y)[1],
        ),
        "The hours are added to z as they are; take their logarithm.": lambda z, h, y: (
            np.exp(np.minimum(z + h, 50)) - y * (z + h),
            np.exp(np.minimum(z + h, 50)) - y,
        ),
        "The sign of the slope is wrong.": lambda z, h, y: (_hours(z, h, y)[0], -_hours(z, h, y)[1]),
        "That slope is by the expected count; by z it has that count as a factor.": lambda z, h, y: (
            _hours(z, h, y)[0],
            1 - y / (np.exp(z) * h),
        ),
        "The slope has the hours as a factor once too often.": lambda z, h, y: (
            _hours(z, h, y)[0],
            h * _hours(z, h, y)[1],
        ),
        "The value is right; its slope compares the count with the rate of one hour.": lambda z, h, y: (
            _hours(z, h, y)[0],
            np.exp(z) - y,
        ),
        "The value is right; its slope is that of the count per hour.": lambda z, h, y: (
            _hours(z, h, y)[0],
            np.exp(z) - y / h,
        ),
        "In the value log hours has the wrong sign: log(hours * exp(z)) is a sum.": lambda z, h, y: (
            np.exp(z) * h - y * (z - np.log(h)),
            _hours(z, h, y)[1],
        ),
        "The rate is divided by the hours; longer hours give more counts.": lambda z, h, y: (
            np.exp(z) / h - y * (z - np.log(h)),
            np.exp(z) / h - y,
        ),
        "The hours scale the rate, not its logarithm z.": lambda z, h, y: (
            np.exp(z * h) - y * z * h,
            np.exp(z * h) - y,
        ),
    },
    on(
        (np.array([-1.0, 0.5, 2.0]), np.array([0.5, 8.0, 24.0]), np.array([0.0, 9.0, 250.0])),
        (np.array([0.3, -6.0]), np.array([3.0, 900.0]), np.array([7.0, 1.0])),
    ),
    returns=2,
)


def _weighted(pred, v, y, beta):
    r = pred - y
    return v**beta * r / v, v**beta * (1 / v - r**2 / v**2) / 2


weight = Exercise(
    "weighted_slopes",
    "which slopes does the loss have without the factor, and what does a constant factor do to them?",
    {
        "The factor is missing.": lambda p, v, y, beta: _weighted(p, v, y, 0.0),
        "The slope by the variance differentiates the factor too; it is a constant.": lambda p, v, y, beta: (
            _weighted(p, v, y, beta)[0],
            _weighted(p, v, y, beta)[1] + beta * v ** (beta - 1) * (np.log(v) + (p - y) ** 2 / v) / 2,
        ),
        "The slope by the mean is weighted, that by the variance is not.": lambda p, v, y, beta: (
            _weighted(p, v, y, beta)[0],
            _weighted(p, v, y, 0.0)[1],
        ),
        "The exponent has the wrong sign.": lambda p, v, y, beta: _weighted(p, v, y, -beta),
        "The factor 1/2 in the slope by the variance is lost.": lambda p, v, y, beta: (
            _weighted(p, v, y, beta)[0],
            2 * _weighted(p, v, y, beta)[1],
        ),
        "The slope by the variance is weighted, that by the mean is not.": lambda p, v, y, beta: (
            _weighted(p, v, y, 0.0)[0],
            _weighted(p, v, y, beta)[1],
        ),
        "The factor is v to the power beta, not v itself.": lambda p, v, y, beta: _weighted(p, v, y, 1.0),
        "The factor is v to the power beta, not the root of v whatever beta is.": lambda p, v, y, beta: _weighted(
            p, v, y, 0.5
        ),
        "The slope by the variance has the wrong sign: with a large error the variance should grow.": (
            lambda p, v, y, beta: (_weighted(p, v, y, beta)[0], -_weighted(p, v, y, beta)[1])
        ),
        "In the slope by the variance, r^2 is divided by v^2: the derivative of 1/v is -1/v^2.": (
            lambda p, v, y, beta: (_weighted(p, v, y, beta)[0], v**beta * (1 / v - (p - y) ** 2 / v) / 2)
        ),
        "The slope by the variance lacks the 1/v that comes from log v.": lambda p, v, y, beta: (
            _weighted(p, v, y, beta)[0],
            -(v**beta) * (p - y) ** 2 / v**2 / 2,
        ),
        "The second slope is by the standard deviation; the variance is asked for.": lambda p, v, y, beta: (
            _weighted(p, v, y, beta)[0],
            2 * np.sqrt(v) * _weighted(p, v, y, beta)[1],
        ),
        "The order is the slope by the mean, then by the variance.": lambda p, v, y, beta: _weighted(p, v, y, beta)[
            ::-1
        ],
        "Both slopes are twice too large: the loss has the factor 1/2.": lambda p, v, y, beta: tuple(
            2 * slope for slope in _weighted(p, v, y, beta)
        ),
        "The slope by the variance lacks the factor 1/v in front: the derivative of log v is 1/v.": (
            lambda p, v, y, beta: (_weighted(p, v, y, beta)[0], v * _weighted(p, v, y, beta)[1])
        ),
        "Both signs are wrong: r is prediction less target, and a large error should let the variance grow.": (
            lambda p, v, y, beta: tuple(-slope for slope in _weighted(p, v, y, beta))
        ),
        "The slopes are of each example's loss, not of the mean.": lambda p, v, y, beta: tuple(
            slope / len(y) for slope in _weighted(p, v, y, beta)
        ),
        "The sign of r is wrong: prediction less target.": lambda p, v, y, beta: (
            -_weighted(p, v, y, beta)[0],
            _weighted(p, v, y, beta)[1],
        ),
    },
    on(
        *((_M, np.array([0.5, 4.0, 9.0, 0.1]), _Y, beta) for beta in (0.5, 1.0, 2.0)),
        (np.array([0.4, -2.0]), np.array([3.0, 0.2]), np.array([5.0, -2.1]), 0.3),
    ),
    returns=2,
)

EXERCISES = [laplace, hours, weight]
