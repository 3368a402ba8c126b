"""Exercises of the lesson on fields of application, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _first(V, n_tags, m, s, C, start):
    return np.log(V), n_tags * np.log(2), s**2 + m**2, np.sqrt(2 * (start - np.log(C)) / (1 - 1 / C))


def _with(index, change):
    def answer(*numbers):
        values = list(_first(*numbers))
        values[index] = change(*numbers)
        return tuple(values)

    return answer


first = Exercise(
    "first_losses",
    "which probability does a clueless model give to each answer?",
    {
        "The first one in nats: the natural logarithm.": _with(0, lambda V, n, m, s, C, a: np.log2(V)),
        "All losses in nats: the natural logarithm.": lambda V, n, m, s, C, a: (
            np.log2(V),
            n,
            *_first(V, n, m, s, C, a)[2:],
        ),
        "The first is minus the logarithm of 1 / V.": _with(0, lambda V, n, m, s, C, a: -np.log(V)),
        "The tags' losses are summed, not averaged.": _with(1, lambda V, n, m, s, C, a: np.log(2)),
        "The tags are not exclusive: each is a question of its own.": _with(1, lambda V, n, m, s, C, a: np.log(n)),
        "The third one: prediction 0 also misses the mean.": _with(2, lambda V, n, m, s, C, a: s**2),
        "The third one: the targets also scatter around their mean.": _with(2, lambda V, n, m, s, C, a: m**2),
        "The third one: s is a standard deviation, not a variance.": _with(2, lambda V, n, m, s, C, a: s + m**2),
        "The third one is a mean of squares, not a root.": _with(2, lambda V, n, m, s, C, a: np.sqrt(s**2 + m**2)),
        "The third one: m adds to the mean square; it is the variance that subtracts it.": _with(
            2, lambda V, n, m, s, C, a: s**2 - m**2
        ),
        "The third one: squared error, without a factor one half.": _with(
            2, lambda V, n, m, s, C, a: (s**2 + m**2) / 2
        ),
        "The third one: square each, then add.": _with(2, lambda V, n, m, s, C, a: (s + m) ** 2),
        "The last one: that is the variance; the standard deviation is its root.": _with(
            3, lambda V, n, m, s, C, a: 2 * (a - np.log(C)) / (1 - 1 / C)
        ),
        "The last one: the loss rises by half the variance, so twice the rise.": _with(
            3, lambda V, n, m, s, C, a: np.sqrt((a - np.log(C)) / (1 - 1 / C))
        ),
        "The last one: line 6 has a factor 1 - 1/C, which counts where C is small.": _with(
            3, lambda V, n, m, s, C, a: np.sqrt(2 * (a - np.log(C)))
        ),
        "The last one: divide by 1 - 1/C, do not multiply.": _with(
            3, lambda V, n, m, s, C, a: np.sqrt(2 * (a - np.log(C)) * (1 - 1 / C))
        ),
        "The last one: only what is above log C comes from the scatter.": _with(
            3, lambda V, n, m, s, C, a: np.sqrt(2 * a / (1 - 1 / C))
        ),
        "The last one: twice the rise, over 1 - 1/C, is the variance; its root is missing, and so is 1 - 1/C.": _with(
            3, lambda V, n, m, s, C, a: 2 * (a - np.log(C))
        ),
        "The last one: the rise is half of the variance times 1 - 1/C; yours lacks both factors.": _with(
            3, lambda V, n, m, s, C, a: np.sqrt(a - np.log(C))
        ),
        "A tag says yes or no: two answers, whatever V is.": _with(1, lambda V, n, m, s, C, a: n * np.log(V)),
        "The third one is 1 for standardised targets only.": _with(2, lambda V, n, m, s, C, a: 1.0),
    },
    on((50_257, 80, 3.0, 2.0, 10, 2.9), (100, 7, -0.5, 0.1, 2, 0.8)),
    returns=4,
)


def _text(means, counts, n_bytes):
    nats = np.sum(means * counts)
    return np.exp(nats / np.sum(counts)), nats / np.log(2) / n_bytes


text = Exercise(
    "text_metrics",
    "how many nats does the whole text cost?",
    {
        "A mean of means: a short piece counts as much as a long one.": lambda m, c, n: (
            np.exp(np.mean(m)),
            np.mean(m) * np.sum(c) / np.log(2) / n,
        ),
        "That is the mean of the pieces' perplexities; take the exponential last.": lambda m, c, n: (
            np.sum(np.exp(m) * c) / np.sum(c),
            _text(m, c, n)[1],
        ),
        "That is the plain mean of the pieces' perplexities; average losses, by tokens.": lambda m, c, n: (
            np.mean(np.exp(m)),
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
        "Perplexity: divide the nats by the tokens before you take the exponential.": lambda m, c, n: (
            np.exp(np.sum(m * c)),
            _text(m, c, n)[1],
        ),
        "That is the mean loss; perplexity is e to it.": lambda m, c, n: (np.sum(m * c) / np.sum(c), _text(m, c, n)[1]),
        "Perplexity is per token; only the bits are per byte.": lambda m, c, n: (
            np.exp(np.sum(m * c) / n),
            _text(m, c, n)[1],
        ),
        "A piece costs its mean times its tokens; yours adds the bare means.": lambda m, c, n: (
            np.exp(np.sum(m) / np.sum(c)),
            np.sum(m) / np.log(2) / n,
        ),
        "Perplexity is wrong: a mean of means; a short piece counts as much as a long one.": lambda m, c, n: (
            np.exp(np.mean(m)),
            _text(m, c, n)[1],
        ),
        "Bits per byte: that is one token's bits over all bytes; the whole text has more.": lambda m, c, n: (
            _text(m, c, n)[0],
            np.sum(m * c) / np.sum(c) / np.log(2) / n,
        ),
        "Bits per byte: a piece costs its mean times its tokens, so no mean of means.": lambda m, c, n: (
            _text(m, c, n)[0],
            np.mean(m) * np.sum(c) / np.log(2) / n,
        ),
        "The loss is minus the logarithm already: e to it, without another minus.": lambda m, c, n: (
            np.exp(-np.sum(m * c) / np.sum(c)),
            _text(m, c, n)[1],
        ),
        "Perplexity comes first, then bits per byte.": lambda m, c, n: _text(m, c, n)[::-1],
        "A byte is the unit here, whatever it holds: do not divide by 8.": lambda m, c, n: (
            _text(m, c, n)[0],
            _text(m, c, n)[1] / 8,
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


def _size(p, y):
    return np.sum(p) + np.sum(y)


def _iou(p, y):
    both = np.sum(p * y)
    union = _size(p, y) - both
    return 1 - both / union, -y / union + both * (1 - y) / union**2


def _squares(p, y):
    both, size = np.sum(p * y), np.sum(p**2) + np.sum(y**2)
    return 1 - 2 * both / size, -2 * y / size + 4 * both * p / size**2


def _plus_one(p, y):
    both, size = np.sum(p * y), _size(p, y) + 1
    return 1 - (2 * both + 1) / size, -2 * y / size + (2 * both + 1) / size**2


dice = Exercise(
    "soft_dice",
    "the quotient rule: where does one p occur?",
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
        "The value is right. In the gradient the factor 2 is missing from the second part.": lambda p, y: (
            _dice(p, y)[0],
            -2 * y / _size(p, y) + np.sum(p * y) / _size(p, y) ** 2,
        ),
        "The value is right. In the gradient the second part has the square of the denominator below.": lambda p, y: (
            _dice(p, y)[0],
            -2 * y / _size(p, y) + 2 * np.sum(p * y) / _size(p, y),
        ),
        "The value is right. The two parts of the gradient have opposite signs.": lambda p, y: (
            _dice(p, y)[0],
            -2 * y / _size(p, y) - 2 * np.sum(p * y) / _size(p, y) ** 2,
        ),
        "The value is right. A pixel with y = 0 has a gradient too: its p makes the denominator larger.": lambda p, y: (
            _dice(p, y)[0],
            y * _dice(p, y)[1],
        ),
        "The gradient is right. The value is the overlap; the loss is 1 less it.": lambda p, y: (
            1 - _dice(p, y)[0],
            _dice(p, y)[1],
        ),
        "The value is right. In the gradient the factor 2 is missing from both parts.": lambda p, y: (
            _dice(p, y)[0],
            _dice(p, y)[1] / 2,
        ),
        "The value is right. The quotient rule divides by the square of the denominator.": lambda p, y: (
            _dice(p, y)[0],
            _dice(p, y)[1] * _size(p, y),
        ),
        "The value comes first, then the gradient.": lambda p, y: _dice(p, y)[::-1],
        "The value is right. In the gradient the factor 2 is missing from the first part.": lambda p, y: (
            _dice(p, y)[0],
            -y / _size(p, y) + 2 * np.sum(p * y) / _size(p, y) ** 2,
        ),
        "The value is right. In the gradient's second part the sum over all pixels stays a sum.": lambda p, y: (
            _dice(p, y)[0],
            -2 * y / _size(p, y) + 2 * p * y / _size(p, y) ** 2,
        ),
        "The value is right. The slope of p y by p is y, not p.": lambda p, y: (
            _dice(p, y)[0],
            -2 * p / _size(p, y) + 2 * np.sum(p * y) / _size(p, y) ** 2,
        ),
        "The value is right. Nothing is averaged: do not divide the gradient by the number of pixels.": lambda p, y: (
            _dice(p, y)[0],
            _dice(p, y)[1] / len(p),
        ),
        "The gradient has one number per pixel; yours are added up.": lambda p, y: (
            _dice(p, y)[0],
            np.sum(_dice(p, y)[1]),
        ),
        "The gradient is by p, not by the logit: no factor p (1 - p).": lambda p, y: (
            _dice(p, y)[0],
            _dice(p, y)[1] * p * (1 - p),
        ),
        "The value counts pixels above one half: that has no slope. Use the probabilities.": lambda p, y: (
            _dice((p > 0.5) * 1.0, y)[0],
            _dice(p, y)[1],
        ),
        "That is the overlap over the union (IoU); Dice divides by the sum of both sizes.": _iou,
        "The sums run over all pixels first; yours divides pixel by pixel.": lambda p, y: (
            np.mean(1 - 2 * p * y / (p + y)),
            -2 * y**2 / (p + y) ** 2 / len(p),
        ),
        "That variant has squares below; here the sums are of p and y themselves.": _squares,
        "No 1 is added above and below here.": _plus_one,
    },
    on(
        (np.array([0.9, 0.2, 0.6, 0.05]), np.array([1.0, 0, 1, 0])),
        (np.array([0.3, 0.8, 0.1, 0.4, 0.7]), np.array([0.0, 1, 1, 0, 1])),
    ),
    returns=2,
)

EXERCISES = [first, text, dice]
