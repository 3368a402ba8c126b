"""Exercises of the lesson on multi-class cross-entropy, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on

# rows far apart from one another, and within a row logits far apart and near; no place holds each row's largest
_FOUR = np.array(
    [
        [0.0, 800.0, -3.0, -800.0],
        [-900.0, -901.0, -899.5, -902.0],
        [0.3, -1.2, 2.0, 0.7],
        [-40.0, 5.0, 5.0, 5.0],
        [3.0, 1.0, -2.0, 0.0],
    ]
)
_THREE = np.array([[0.0, 1.0, 1000.0], [0.5, -1.0, 0.2]])


def _log_softmax(z, axis=-1):
    shifted = z - z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _softmax(z):
    return np.exp(_log_softmax(z))


def _onehot(z, k):
    return np.eye(z.shape[-1])[k]


def _overflowing(z):
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _by_global_max(z):
    shifted = z - z.max()
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _by_first(z):
    shifted = z - z[:, :1]
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _naive(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def _gradient(z, k, smoothing):
    return _softmax(z) - (1 - smoothing) * _onehot(z, k) - smoothing / z.shape[-1]


def _twice(z, k, smoothing):
    """Gradient of the loss that is handed probabilities."""
    p = _softmax(z)
    inner = _gradient(p, k, smoothing)
    return p * (inner - np.sum(p * inner, axis=-1, keepdims=True))


def _floor(classes, low, high):
    return np.log(1 + (classes - 1) * np.exp(low - high))


def _whole(means, counts):
    return np.sum(np.where(counts > 0, means * counts, 0)) / counts.sum()


log_softmax = Exercise(
    "log_softmax",
    "which number may be subtracted from a row without changing p?",
    {
        "exp(z) overflows for a large logit. Subtract the row's largest logit first.": _overflowing,
        "inf / inf is NaN, and log 0 is -inf. Never form p: subtract logsumexp from z.": lambda z: np.log(_naive(z)),
        "log p is -inf where p was rounded to 0. Do not form p: subtract logsumexp from z.": lambda z: np.log(
            _softmax(z)
        ),
        "The largest logit of the whole array leaves nothing of a row far below. Take each row's own.": _by_global_max,
        "The first logit of a row need not be its largest: exp can still overflow. Subtract the largest.": _by_first,
        "A small number inside the log only hides the -inf. Never form p.": lambda z: np.log(_softmax(z) + 1e-12),
        "You took the largest logit off inside the sum only: use the shifted logits outside too.": lambda z: (
            z - np.log(np.exp(z - z.max(axis=-1, keepdims=True)).sum(axis=-1, keepdims=True))
        ),
        "You summed over the examples. The classes are the last axis.": lambda z: _log_softmax(z, axis=0),
        "The logarithm of the sum is missing: p does not sum to 1.": lambda z: z - z.max(axis=-1, keepdims=True),
    },
    on((_FOUR,), (_THREE,)),
)

gradient = Exercise(
    "ce_grad",
    "which lines of the derivation did not need a one-hot y?",
    {
        "The sign is wrong: a larger logit of the right class must lower the loss.": lambda z, k, s: (
            -_gradient(z, k, s)
        ),
        "That is the softmax alone; the label is missing.": lambda z, k, s: _softmax(z),
        "You ignored the smoothing.": lambda z, k, s: _softmax(z) - _onehot(z, k),
        "Smoothing is spread over all C classes, not only over the C - 1 wrong ones.": lambda z, k, s: (
            _softmax(z) - (1 - s) * _onehot(z, k) - s / (z.shape[-1] - 1) * (1 - _onehot(z, k))
        ),
        "Your labels sum to more than 1: the right class keeps only 1 - smoothing.": lambda z, k, s: (
            _softmax(z) - _onehot(z, k) - s / z.shape[-1]
        ),
        "Your labels sum to less than 1: the right class also gets its share smoothing / C.": lambda z, k, s: (
            _softmax(z) - (1 - s) * _onehot(z, k) - s / z.shape[-1] * (1 - _onehot(z, k))
        ),
        "Each class gets smoothing / C, not smoothing: your labels sum to more than 1.": lambda z, k, s: (
            _softmax(z) - (1 - s) * _onehot(z, k) - s
        ),
        "That is the gradient of the mean. Per example there is no division by N.": lambda z, k, s: (
            _gradient(z, k, s) / len(z)
        ),
        "That is the gradient through two softmaxes: the certain and wrong row no longer pushes.": _twice,
        "The first logit of a row need not be its largest: exp can still overflow. Subtract the largest.": (
            lambda z, k, s: _naive(z - z[:, :1]) - (1 - s) * _onehot(z, k) - s / z.shape[-1]
        ),
        "exp(z) overflows: take each row's largest logit off first.": lambda z, k, s: (
            _naive(z) - (1 - s) * _onehot(z, k) - s / z.shape[-1]
        ),
    },
    on((_FOUR, np.array([3, 1, 0, 2, 3]), 0.3), (_THREE, np.array([0, 2]), 0.8), (_FOUR[2:], np.array([1, 1, 0]), 0.0)),
)

floor = Exercise(
    "loss_floor",
    "how far above the others can the right logit stand?",
    {
        "That is the highest loss: there the right class sits at low.": lambda c, low, high: _floor(c, high, low),
        "There are C - 1 other classes, not C.": lambda c, low, high: _floor(c + 1, low, high),
        "That holds only if low = 0. The other classes sit at low.": lambda c, low, high: _floor(c, 0, high),
        "That is the loss of a model that knows nothing: all logits equal.": lambda c, low, high: np.log(c),
        "The right class is missing from the sum: logsumexp runs over all classes.": lambda c, low, high: (
            np.log(c - 1) + low - high
        ),
        "The right logit is missing: the loss ends in - z_k, and z_k is high.": lambda c, low, high: np.log(
            np.exp(high) + (c - 1) * np.exp(low)
        ),
        "That is the floor for probabilities, from 0 to 1. Use low and high.": lambda c, low, high: _floor(c, 0, 1),
    },
    lambda answer: [answer(10, -1.0, 1.0), answer(50257, -0.5, 3.0), answer(2, 2.0, 4.0)],
)

whole = Exercise(
    "mean_of_all",
    "what is the sum of the losses of one batch?",
    {
        "Your result is NaN: the batches in which nothing counts are still in it. Leave them out; weigh the rest.": (
            lambda m, n: (m * n).sum() / n.sum()
        ),
        "That is a mean of batch means: a batch of one label weighs as much as one of 256.": lambda m, n: np.nanmean(m),
        "That is a mean of batch means, and an empty batch counts as 0.": lambda m, n: np.nan_to_num(m).mean(),
        "You divided by the number of batches. Divide by the number of labels.": lambda m, n: np.nansum(m * n) / len(n),
        "You divided by the number of batches that are not empty. Divide by the number of labels.": lambda m, n: (
            np.nansum(m * n) / (n > 0).sum()
        ),
        "A batch that counts and is NaN must stay visible: ask for a count of 0, not for NaN.": lambda m, n: (
            np.nansum(m * n) / n.sum()
        ),
        "That is the sum over all labels; divide it by how many there are.": lambda m, n: np.nansum(m * n),
        "You divided as if all batches were as full as the fullest.": lambda m, n: np.nansum(m * n) / len(n) / n.max(),
    },
    on(
        (np.array([np.nan, 2.0, 0.5, np.nan, 7.0]), np.array([0.0, 256.0, 30.0, 0.0, 1.0])),
        (np.array([2.0, 0.5, 7.0, np.nan]), np.array([256.0, 30.0, 1.0, 0.0])),
        (np.array([2.0, np.nan]), np.array([256.0, 30.0])),
    ),
)

EXERCISES = [log_softmax, gradient, floor, whole]
