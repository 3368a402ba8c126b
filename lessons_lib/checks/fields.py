"""Exercises of the lesson on fields of application, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise, on

LESSON = "03_algorithms/19_fields"


def _first(V, n_tags, N, m, s):
    return np.log(V), n_tags * np.log(2), np.log(N), s**2 + m**2


def _with(index, change):
    def answer(*numbers):
        values = list(_first(*numbers))
        values[index] = change(*numbers)
        return tuple(values)

    return answer


first = Exercise(
    "first_losses",
    LESSON,
    "which probability does a clueless model give to each answer?",
    _first,
    {
        "The first one in nats: the natural logarithm.": _with(0, lambda V, n, N, m, s: np.log2(V)),
        "The first is minus the logarithm of 1 / V.": _with(0, lambda V, n, N, m, s: -np.log(V)),
        "The tags' losses are summed, not averaged.": _with(1, lambda V, n, N, m, s: np.log(2)),
        "The tags are not exclusive: each is a question of its own.": _with(1, lambda V, n, N, m, s: np.log(n)),
        "InfoNCE chooses one of all N candidates, the right one among them.": _with(
            2, lambda V, n, N, m, s: np.log(N - 1)
        ),
        "The last one: prediction 0 also misses the mean.": _with(3, lambda V, n, N, m, s: s**2),
        "The last one is a mean of squares, not a root.": _with(3, lambda V, n, N, m, s: np.sqrt(s**2 + m**2)),
    },
    on((50_257, 80, 256, 3.0, 2.0), (100, 7, 32, -0.5, 0.1)),
    returns=4,
)


def _text(means, counts, n_bytes):
    nats = np.sum(means * counts)
    return np.exp(nats / np.sum(counts)), nats / np.log(2) / n_bytes


text = Exercise(
    "text_metrics",
    LESSON,
    "how many nats does the whole text cost?",
    _text,
    {
        "A mean of means: a short piece counts as much as a long one.": lambda m, c, n: (
            np.exp(np.mean(m)),
            np.mean(m) * np.sum(c) / np.log(2) / n,
        ),
        "That is the mean of the pieces' perplexities; take the exponential last.": lambda m, c, n: (
            np.sum(np.exp(m) * c) / np.sum(c),
            _text(m, c, n)[1],
        ),
        "Bits per byte: divide by the bytes, not by the tokens.": lambda m, c, n: (
            _text(m, c, n)[0],
            np.sum(m * c) / np.log(2) / np.sum(c),
        ),
        "Those are nats per byte; a bit is log 2 nats.": lambda m, c, n: (_text(m, c, n)[0], np.sum(m * c) / n),
        "A bit is less than a nat: divide by log 2, do not multiply.": lambda m, c, n: (
            _text(m, c, n)[0],
            np.sum(m * c) * np.log(2) / n,
        ),
        "Perplexity has the base e here, because the loss is in nats.": lambda m, c, n: (
            2 ** (np.sum(m * c) / np.sum(c)),
            _text(m, c, n)[1],
        ),
    },
    on(
        (np.array([3.0, 1.0, 2.5]), np.array([10, 500, 90]), 2400),
        (np.array([0.5, 4.0]), np.array([64, 8]), 300),
    ),
    returns=2,
)


def _dice(p, y):
    both, size = np.sum(p * y), np.sum(p) + np.sum(y)
    return 1 - 2 * both / size, -2 * y / size + 2 * both / size**2


dice = Exercise(
    "soft_dice",
    LESSON,
    "the quotient rule: where does one p occur?",
    _dice,
    {
        "The value is right. In the gradient the denominator depends on p too.": lambda p, y: (
            _dice(p, y)[0],
            -2 * y / (np.sum(p) + np.sum(y)),
        ),
        "The sign of the gradient is wrong.": lambda p, y: (_dice(p, y)[0], -_dice(p, y)[1]),
        "That is the overlap; the loss is 1 less it.": lambda p, y: (1 - _dice(p, y)[0], -_dice(p, y)[1]),
        "The factor 2 is missing: a perfect answer must cost 0.": lambda p, y: (
            (1 + _dice(p, y)[0]) / 2,
            _dice(p, y)[1] / 2,
        ),
        "That is the overlap over the union (IoU); Dice divides by the sum of both sizes.": lambda p, y: (
            1 - np.sum(p * y) / (np.sum(p) + np.sum(y) - np.sum(p * y)),
            _dice(p, y)[1],
        ),
        "The sums run over all pixels first; yours divides pixel by pixel.": lambda p, y: (
            np.mean(1 - 2 * p * y / (p + y)),
            _dice(p, y)[1],
        ),
    },
    on(
        (np.array([0.9, 0.2, 0.6, 0.05]), np.array([1.0, 0, 1, 0])),
        (np.array([0.3, 0.8, 0.1, 0.4, 0.7]), np.array([0.0, 1, 1, 0, 1])),
    ),
    returns=2,
)

EXERCISES = [first, text, dice]
