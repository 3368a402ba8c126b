"""Exercises of the lesson on stochastic gradient descent, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise


def _try_gradient(answer):
    rng = np.random.default_rng(0)
    shapes = ((7, 3), (1, 2))
    return [answer(rng.normal(size=d), rng.normal(), rng.normal(size=(b, d)), rng.normal(size=b)) for b, d in shapes]


def _gradient(theta, c, x, y, *, by="B", factor=2.0):
    r = factor * (x @ theta + c - y)
    n = {"B": len(x), "d": len(theta), "nothing": 1}[by]
    return x.T @ r / n, r.sum() / n


gradient = Exercise(
    "batch_gradient",
    "the chain rule: how does each prediction depend on theta, and how on c?",
    {
        "That is the gradient of the sum: it multiplies the learning rate by B.": lambda *a: _gradient(
            *a, by="nothing"
        ),
        "The factor 2 of the square is missing.": lambda *a: _gradient(*a, factor=1.0),
        "The sign is wrong: it points downhill. The update subtracts it.": lambda *a: _gradient(*a, factor=-2.0),
        "That divides by the number of parameters, not by the number of examples.": lambda *a: _gradient(*a, by="d"),
        "The intercept is missing from the prediction.": lambda theta, c, x, y: _gradient(theta, 0.0, x, y),
        "The gradient by c is one number, a mean over the batch.": lambda theta, c, x, y: (
            _gradient(theta, c, x, y)[0],
            2 * (x @ theta + c - y),
        ),
        "The gradient by c is a sum; take the mean, as for theta.": lambda *a: (
            _gradient(*a)[0],
            _gradient(*a, by="nothing")[1],
        ),
        "The factor 2 is missing in the gradient by c.": lambda *a: (_gradient(*a)[0], _gradient(*a, factor=1.0)[1]),
        "Return the gradient by theta first, then the one by c.": lambda *a: _gradient(*a)[::-1],
    },
    _try_gradient,
    returns=2,
)


def _sizes(answer):
    a = np.array([1.0, 4.0, 4.0, -3.0, 10.0, 2.5, -7.0])
    found = [answer(a, v) for v in (200.0, 20.0, 15.0, 12.0, 8.0, 5.5, 5.0, 3.0, 1.0, 0.1)]
    return [*found, answer(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), 0.75)]  # exactly at the bound with 2


def _size(a, v, rounding=np.ceil, ddof=0):
    n, s2 = len(a), a.var(ddof=ddof)
    return max(1, rounding(n * s2 / (v * (n - 1) + s2)))


variance = Exercise(
    "batch_size",
    "line 3 of the derivation, solved for B.",
    {
        "That is for drawing with replacement: it can exceed N.": lambda a, v: np.ceil(a.var() / v),
        "Your S^2 divides by N - 1; with the factor (N - B) / (N - 1) it must divide by N.": lambda a, v: _size(
            a, v, ddof=1
        ),
        "At most v: equality is allowed.": lambda a, v: np.floor(_size(a, v, lambda b: b)) + 1,
        "The last factor of line 3 is missing; cutting the answer at N does not bring it back.": lambda a, v: min(
            len(a), np.ceil(a.var() / v)
        ),
        "Rounded down, the variance is above v.": lambda a, v: _size(a, v, np.floor),
        "A batch has a whole number of examples.": lambda a, v: _size(a, v, lambda b: b),
        "That is for the standard deviation; the variance is its square.": lambda a, v: _size(a, v**2),
        "The last factor's divisor is N - 1, not N.": lambda a, v: np.ceil(len(a) * a.var() / (v * len(a) + a.var())),
    },
    _sizes,
)


def _try_edge(answer):
    rng = np.random.default_rng(1)
    return [answer(rng.normal(size=(n, 3)) * [0.1, 1.0, 8.0]) for n in (6, 20)]


def _squares(x):
    return (x**2).sum(axis=1)


edge = Exercise(
    "single_edge",
    "line 5 of the derivation, for the loss of one example instead of the mean.",
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
        "That is the edge of the sum over all examples; here each example stands alone.": lambda x: (
            1 / np.linalg.norm(x, 2) ** 2
        ),
        "|x|^2 is the sum over the d coordinates, not the largest of them.": lambda x: 1 / (x**2).max(),
        "That is safe for the average example only.": lambda x: 1 / _squares(x).mean(),
        "That is the flattest example. The steepest one breaks first.": lambda x: 1 / _squares(x).min(),
        "One number is wanted: the rate that is safe for every example.": lambda x: 1 / _squares(x),
    },
    _try_edge,
)


def _try_epoch(answer):
    order = np.array([3, 0, 6, 2, 5, 1, 4])
    return [answer(order, size) for size in (3, 7, 2, 10)] + [answer(order[1::2], 2)]


epoch = Exercise(
    "epoch",
    "where does each batch begin?",
    {
        "The last, smaller batch is dropped: some examples are never used.": lambda order, size: [
            order[i : i + size] for i in range(0, len(order) - size + 1, size)
        ],
        "These batches overlap. Step on by B.": lambda order, size: [
            order[i : i + size] for i in range(len(order) - size + 1)
        ],
        "If B divides the number of examples, your last batch is empty.": lambda order, size: [
            order[i * size : (i + 1) * size] for i in range(len(order) // size + 1)
        ],
        "The batches are of nearly equal size; each but the last has B examples.": lambda order, size: np.array_split(
            order, -(-len(order) // size)
        ),
        "B is the size of a batch, not the number of batches.": lambda order, size: np.array_split(order, size),
        "These are consecutive numbers. Take them from the shuffled order.": lambda order, size: [
            np.arange(len(order))[i : i + size] for i in range(0, len(order), size)
        ],
    },
    _try_epoch,
)

EXERCISES = [gradient, variance, edge, epoch]
