"""Exercises of the lesson on margins, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _classes(z, k, margin=1.0):
    rival = np.argmax(np.where(np.arange(len(z)) == k, -np.inf, z))
    value = max(0.0, margin - z[k] + z[rival])
    grad = np.zeros(len(z))
    if value > 0:
        grad[rival], grad[k] = 1.0, -1.0
    return value, grad


def _against(z, k, rival):
    """The loss against the class `rival`, which may be the wrong one."""
    value, grad = max(0.0, 1 - z[k] + z[rival]), np.zeros(len(z))
    if value > 0:
        grad[rival] = 1.0
        grad[k] = -1.0
    return value, grad


def _every_rival(z, k):
    lead = z[k] - z
    each = np.where(np.arange(len(z)) == k, 0.0, np.maximum(0, 1 - lead))
    grad = (each > 0) * 1.0
    grad[k] = -np.sum(each > 0)
    return np.sum(each), grad


def _shifted(z, k):
    value, grad = _classes(z, k)[0], np.zeros(len(z))
    if value > 0:
        grad[np.argmax(np.delete(z, k))] += 1
        grad[k] -= 1
    return value, grad


def _deleted(z, k, shift):
    place = np.argmax(np.delete(z, k))
    return _against(z, k, place + shift(place, k))


classes = Exercise(
    "classes_hinge",
    "which two scores decide, and what are the slopes of the loss by each of them?",
    {
        "The right class cannot be its own rival: leave it out of the maximum.": lambda z, k: (
            max(0.0, 1 - z[k] + np.max(z)),
            (np.arange(len(z)) == np.argmax(z)) * 1.0 - (np.arange(len(z)) == k),
        ),
        "Only the strongest rival counts; you add up all of them.": _every_rival,
        "That is PyTorch's multi_margin_loss; here only the strongest rival counts.": lambda z, k: [
            part / len(z) for part in _every_rival(z, k)
        ],
        "Where the lead is enough, value and gradient are 0.": lambda z, k: (
            1 - z[k] + np.max(np.delete(z, k)),
            _classes(z, k, 1e9)[1],
        ),
        "The lead is the right class's score less its rival's, not the other way round.": lambda z, k: (
            max(0.0, 1 + z[k] - np.max(np.delete(z, k))),
            -_classes(z, k, 1e9)[1] * (1 + z[k] > np.max(np.delete(z, k))),
        ),
        "The second largest score is the rival only where the right class has the largest.": lambda z, k: _against(
            z, k, np.argsort(z)[-2]
        ),
        "A score of 0 can win among negative ones: leave the right class out with -np.inf.": lambda z, k: (
            max(0.0, 1 - z[k] + max(0.0, np.max(np.delete(z, k)))),
            _against(z, k, np.argmax(np.where(np.arange(len(z)) == k, 0.0, z)))[1],
        ),
        "The margin of 1 is missing.": lambda z, k: _classes(z, k, 0.0),
        "The sign of the gradient is wrong.": lambda z, k: (_classes(z, k)[0], -_classes(z, k)[1]),
        "The value is right. Where the lead is enough, the gradient is 0.": lambda z, k: (
            _classes(z, k)[0],
            _classes(z, k, 1e9)[1],
        ),
        "The value is right. A lead between 0 and 1 is not enough yet: there the gradient is not 0.": lambda z, k: (
            _classes(z, k)[0],
            _classes(z, k, 0.0)[1],
        ),
        "The value is right. Without the right class the places after it shift by one: the rival's is wrong.": _shifted,
        "Without the right class the places after it shift by one: look the rival up in all of z.": lambda z, k: (
            _deleted(z, k, lambda place, k: 0)
        ),
        "Without the right class, the place of the one right after it shifts too: >=, not >.": lambda z, k: _deleted(
            z, k, lambda place, k: place > k
        ),
        "The value is right. The slopes are 1 and -1, however large the loss is.": lambda z, k: (
            _classes(z, k)[0],
            _classes(z, k)[0] * _classes(z, k)[1],
        ),
        "The value is right. The rival's score has a slope too.": lambda z, k: (
            _classes(z, k)[0],
            np.minimum(_classes(z, k)[1], 0),
        ),
        "The value is right. The right class has a slope too.": lambda z, k: (
            _classes(z, k)[0],
            np.maximum(_classes(z, k)[1], 0),
        ),
    },
    on(
        (np.array([2.0, 1.5, 9.0, -3.0]), 0),
        (np.array([2.0, 1.5, 9.0, -3.0]), 2),
        (np.array([0.4, 0.1, 0.9]), 2),
        (np.array([-5.0, -7.0, -6.5]), 1),
        (np.array([0.2, 0.7, 0.5, -1.0]), 1),
    ),
    returns=2,
)


def _auc(positive, negative):
    lead = positive[:, None] - negative[None, :]
    return np.mean((lead > 0) + (lead == 0) / 2)


area = Exercise(
    "auc",
    "how many pairs are there, and what does one pair contribute?",
    {
        "Ties count half.": lambda p, n: np.mean(p[:, None] > n),
        "Ties count half, not fully.": lambda p, n: np.mean(p[:, None] >= n),
        "The wrong way round: the positive should be higher.": lambda p, n: 1 - _auc(p, n),
        "A share: divide by the number of pairs.": lambda p, n: _auc(p, n) * len(p) * len(n),
        "That is 2 AUC - 1: a pair the wrong way round counts 0, not -1.": lambda p, n: 2 * _auc(p, n) - 1,
        "Divide by the number of pairs, not of positives.": lambda p, n: _auc(p, n) * len(n),
        "Divide by the number of pairs, not of negatives.": lambda p, n: _auc(p, n) * len(p),
        "Every positive meets every negative, not only the one at its own place.": lambda p, n: np.mean(
            p[: min(len(p), len(n))] > n[: min(len(p), len(n))]
        ),
        "Yours meets only the negative at its own place; every positive meets every negative.": lambda p, n: np.mean(
            [(a > b) + (a == b) / 2 for a, b in zip(p, n, strict=False)]
        ),
        "One tie counts 1/2: // rounds half of an odd number of ties down.": lambda p, n: (
            (np.sum(p[:, None] > n) + np.sum(p[:, None] == n) // 2) / (len(p) * len(n))
        ),
        "That compares each positive with the mean of the negatives.": lambda p, n: np.mean(p > np.mean(n)),
        "That asks each positive to beat all negatives; each pair counts for itself.": lambda p, n: np.mean(
            p > np.max(n)
        ),
        "A tie is a pair too: it belongs to the number of pairs.": lambda p, n: (
            np.sum(p[:, None] > n) / max(np.sum(p[:, None] != n), 1)
        ),
        "How far the positive leads does not matter, only whether it does.": lambda p, n: np.mean(p[:, None] - n),
    },
    lambda answer: [
        answer(np.array([0.3, 0.9, 0.5, 0.5]), np.array([0.5, 0.1, 0.7])),
        answer(np.array([2.0, -1.0]), np.array([2.0, 2.0, -5.0, -1.0, 1.0])),
        answer(np.ones(3), np.ones(4)),
        answer(np.array([0.5, -0.1]), np.array([0.1, 0.500001])),  # near is no tie
    ],
)


def _semi(distance, same, d_p):
    other = np.flatnonzero(~same)
    beyond = other[distance[other] > d_p]
    return beyond[np.argmin(distance[beyond])] if len(beyond) else other[np.argmax(distance[other])]


def _part(distance, same, d_p):
    other = np.flatnonzero(~same)
    beyond = distance[other][distance[other] > d_p]
    return np.argmin(beyond) if len(beyond) else np.argmax(distance[other])


def _among_all(distance, same, d_p):
    other = np.flatnonzero(~same)
    return other[_part(distance, same, d_p)]


def _by_value(distance, same, d_p):
    return np.flatnonzero(distance == distance[_semi(distance, same, d_p)])[0]


def _masked(distance, same, d_p):
    far = ~same & (distance > d_p)
    return np.argmin(far * distance) if far.any() else _semi(distance, same, d_p)


def _nearest(far, d, same, anybody=None):
    """The nearest of `far`; if there is `anybody`, else the farthest of another class."""
    anybody = far.any() if anybody is None else anybody
    return np.argmin(np.where(far, d, np.inf)) if anybody else np.argmax(np.where(same, -np.inf, d))


semi = Exercise(
    "semi_hard",
    "two conditions, then the nearest of those who are left. And if nobody is?",
    {
        "That is the hardest negative: it may be nearer than the positive.": lambda d, same, d_p: np.argmin(
            np.where(same, np.inf, d)
        ),
        "That is the easiest negative.": lambda d, same, d_p: np.argmax(np.where(same, -np.inf, d)),
        "An example of the same class is no negative.": lambda d, same, d_p: (
            np.argmin(np.where(d > d_p, d, np.inf)) if (d > d_p).any() else np.argmax(d)
        ),
        "That is a place among the negatives; its index in the batch is asked for.": _part,
        "If no negative is farther than the positive, take the farthest of them.": lambda d, same, d_p: np.argmin(
            np.where(~same & (d > d_p), d, np.inf)
        ),
        "If nobody is farther than the positive: the farthest of the others, not the nearest.": lambda d, same, d_p: (
            _semi(d, same, d_p) if (d[~same] > d_p).any() else np.argmin(np.where(same, np.inf, d))
        ),
        "If no negative is far enough: the farthest of the negatives, not of all.": lambda d, same, d_p: (
            _semi(d, same, d_p) if (d[~same] > d_p).any() else np.argmax(d)
        ),
        "If no negative is far enough, yours is a place among the negatives: look its index up.": lambda d, same, d_p: (
            _semi(d, same, d_p) if (d[~same] > d_p).any() else np.argmax(d[~same])
        ),
        "If no negative is far enough: the farthest of them, not the last.": lambda d, same, d_p: (
            _semi(d, same, d_p) if (d[~same] > d_p).any() else np.flatnonzero(~same)[-1]
        ),
        "The place of the nearest is one among those far enough: look its index up among these.": _among_all,
        "Farther than the positive: just as far is not enough.": lambda d, same, d_p: _nearest(
            ~same & (d >= d_p), d, same
        ),
        "Whether anybody is farther: ask among the negatives, not in the whole batch.": lambda d, same, d_p: _nearest(
            ~same & (d > d_p), d, same, (d > d_p).any()
        ),
        "That is the first negative that is far enough, not the nearest of them.": lambda d, same, d_p: (
            np.argmax(~same & (d > d_p)) if (~same & (d > d_p)).any() else _semi(d, same, d_p)
        ),
        "The distance is right, but one of its own class has it too: seek the index among the negatives.": _by_value,
        "Times the mask, the others get the distance 0 and are the nearest of all: give them np.inf.": _masked,
        "The index is asked for, not the distance.": lambda d, same, d_p: d[_semi(d, same, d_p)],
        "Farther than the positive, not nearer.": lambda d, same, d_p: (
            np.argmax(np.where(~same & (d < d_p), d, -np.inf)) if (~same & (d < d_p)).any() else _semi(d, same, d_p)
        ),
    },
    lambda answer: (
        [
            answer(np.array([1.2, 0.5, 0.8, 2.0, 0.9, 3.0]), np.array([True, False, True, False, False, False]), limit)
            for limit in (0.4, 0.4999, 0.6, 0.9, 1.0, 5.0)
        ]
        + [answer(np.array([0.0, 1.5, 0.7, 1.5, 2.5]), np.array([True, True, False, False, False]), 1.0)]
        + [answer(np.array([0.2, 4.0, 0.1, 0.3]), np.array([True, True, False, False]), 0.5)]
        + [answer(np.array([3.0, 2.5, 0.1, 2.0]), np.array([False, False, True, False]), far) for far in (1.0, 5.0)]
    ),
)

EXERCISES = [classes, area, semi]
