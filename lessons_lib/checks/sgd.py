"""Exercises of the lesson on stochastic gradient descent, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise

LESSON = "03_algorithms/03_sgd"


def _try_gradient(answer):
    rng = np.random.default_rng(0)
    return [answer(rng.normal(size=d), rng.normal(size=(b, d)), rng.normal(size=b)) for b, d in ((7, 3), (1, 2))]


gradient = Exercise(
    "batch_gradient",
    LESSON,
    "the chain rule: how does each prediction depend on theta?",
    lambda theta, x, y: 2 * x.T @ (x @ theta - y) / len(x),
    {
        "That is the gradient of the sum: it multiplies the learning rate by B.": lambda theta, x, y: (
            2 * x.T @ (x @ theta - y)
        ),
        "The factor 2 of the square is missing.": lambda theta, x, y: x.T @ (x @ theta - y) / len(x),
        "The sign is wrong: it points downhill. The update subtracts it.": lambda theta, x, y: (
            2 * x.T @ (y - x @ theta) / len(x)
        ),
        "That divides by the number of parameters, not by the number of examples.": lambda theta, x, y: (
            2 * x.T @ (x @ theta - y) / len(theta)
        ),
        "That is the gradient by the predictions. The chain rule adds a factor x.": lambda theta, x, y: (
            2 * (x @ theta - y) / len(x)
        ),
    },
    _try_gradient,
)


def _try_variance(answer):
    a = np.array([1.0, 4.0, 4.0, -3.0, 10.0])
    return [answer(a, size) for size in (1, 2, 4, 5)]


variance = Exercise(
    "batch_variance",
    LESSON,
    "line 3 of the derivation; try B = N, where it must be 0.",
    lambda a, size: a.var() / size * (len(a) - size) / (len(a) - 1),
    {
        "That is for drawing with replacement: it is not 0 for the full batch.": lambda a, size: a.var() / size,
        "Your S^2 divides by N - 1; with the factor (N - B) / (N - 1) it must divide by N.": lambda a, size: (
            a.var(ddof=1) / size * (len(a) - size) / (len(a) - 1)
        ),
        "The last factor's divisor is N - 1, not N.": lambda a, size: a.var() / size * (len(a) - size) / len(a),
        "The 1 / B is missing.": lambda a, size: a.var() * (len(a) - size) / (len(a) - 1),
        "That is the standard deviation; the variance is its square.": lambda a, size: np.sqrt(
            a.var() / size * (len(a) - size) / (len(a) - 1)
        ),
        "That is the variance of the sum over the batch, not of its mean.": lambda a, size: (
            a.var() * size * (len(a) - size) / (len(a) - 1)
        ),
    },
    _try_variance,
)


def _try_edge(answer):
    rng = np.random.default_rng(1)
    return [answer(rng.normal(size=(n, 3)) * [0.1, 1.0, 8.0]) for n in (6, 20)]


def _squares(x):
    return (x**2).sum(axis=1)


edge = Exercise(
    "single_edge",
    LESSON,
    "line 5 of the derivation, for the loss of one example instead of the mean.",
    lambda x: 1 / _squares(x).max(),
    {
        "That is the full batch's edge. A single example can be far steeper.": lambda x: (
            2 / np.linalg.eigvalsh(2 * x.T @ x / len(x)).max()
        ),
        "The second derivative of the square brings a factor 2: the curvature along x is 2 |x|^2.": lambda x: (
            2 / _squares(x).max()
        ),
        "That rate takes the steepest example to its minimum in one step; the edge is twice as far.": lambda x: (
            0.5 / _squares(x).max()
        ),
        "The length of x enters squared.": lambda x: 1 / np.sqrt(_squares(x).max()),
        "That is safe for the average example only.": lambda x: 1 / _squares(x).mean(),
        "That is the flattest example. The steepest one breaks first.": lambda x: 1 / _squares(x).min(),
        "One number is wanted: the rate that is safe for every example.": lambda x: 1 / _squares(x),
    },
    _try_edge,
)


def _try_epoch(answer):
    order = np.array([3, 0, 6, 2, 5, 1, 4])
    return [answer(order, size) for size in (3, 7, 2, 10)]


epoch = Exercise(
    "epoch",
    LESSON,
    "where does each batch begin?",
    lambda order, size: [order[i : i + size] for i in range(0, len(order), size)],
    {
        "The last, smaller batch is dropped: some examples are never used.": lambda order, size: [
            order[i : i + size] for i in range(0, len(order) - size + 1, size)
        ],
        "These batches overlap. Step on by B.": lambda order, size: [
            order[i : i + size] for i in range(len(order) - size + 1)
        ],
        "B is the size of a batch, not the number of batches.": lambda order, size: np.array_split(order, size),
        "These are consecutive numbers. Take them from the shuffled order.": lambda order, size: [
            np.arange(len(order))[i : i + size] for i in range(0, len(order), size)
        ],
    },
    _try_epoch,
)

EXERCISES = [gradient, variance, edge, epoch]
