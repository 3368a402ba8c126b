"""Exercises of the lesson on multi-class cross-entropy, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise

LESSON = "03_algorithms/02_cross_entropy"


def _logits():
    """Rows far apart from one another, and within a row logits far apart and near."""
    return np.array(
        [
            [800.0, 0.0, -3.0, -800.0],
            [-900.0, -901.0, -899.5, -902.0],
            [0.3, -1.2, 2.0, 0.7],
            [5.0, 5.0, 5.0, -40.0],
            [1.0, 3.0, -2.0, 0.0],
        ]
    )


_LABELS = np.array([3, 1, 0, 2, 3])


def _log_softmax(z, axis=-1):
    shifted = z - z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _p(z, axis=-1):
    return np.exp(_log_softmax(z, axis))


def _onehot(z, k):
    return np.eye(z.shape[-1])[k]


def _by_global_max(z):
    shifted = z - z.max()
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _through_softmax(z, k):
    """Gradient of the loss that is handed probabilities."""
    p = _p(z)
    inner = _p(p) - _onehot(z, k)
    return p * (inner - np.sum(p * inner, axis=-1, keepdims=True))


def _squared(z, k):
    p = _p(z)
    inner = 2 * (p - _onehot(z, k))
    return p * (inner - np.sum(p * inner, axis=-1, keepdims=True))


log_softmax = Exercise(
    "log_softmax",
    LESSON,
    "line 2 of the derivation: z - logsumexp(z), with each row's largest logit subtracted first.",
    _log_softmax,
    {
        "exp(z) overflows for a large logit. Subtract the largest logit first.": lambda z: (
            z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        ),
        "The logarithm of a probability that was rounded to 0 is -inf. Subtract the logsumexp from z instead.": lambda z: (
            np.log(_p(z))
        ),
        "You took off the largest logit of the whole array; each row has its own, or a row far below it loses everything.": (
            _by_global_max
        ),
        "You summed over the examples. The classes are the last axis.": lambda z: _log_softmax(z, axis=0),
        "That is the softmax itself; its logarithm is wanted.": _p,
        "That is minus log p, the loss of each class; log p is never positive.": lambda z: -_log_softmax(z),
        "You took off the largest logit but not the logarithm of the sum: the probabilities do not sum to 1.": lambda z: (
            z - z.max(axis=-1, keepdims=True)
        ),
    },
    lambda answer: answer(_logits()),
)

gradient = Exercise(
    "ce_grad",
    LESSON,
    "line 3 of the derivation: softmax(z) minus the one-hot label, row by row.",
    lambda z, k: _p(z) - _onehot(z, k),
    {
        "The sign is wrong: a larger logit of the right class must lower the loss.": lambda z, k: _onehot(z, k) - _p(z),
        "That is the softmax alone. The label's class still needs its 1 taken off.": lambda z, k: _p(z),
        "You took the number of the class off every logit. Turn the label into a one-hot row first.": lambda z, k: (
            _p(z) - k[:, None]
        ),
        "That is the gradient of the batch mean. Per example there is no division by N.": lambda z, k: (
            (_p(z) - _onehot(z, k)) / len(z)
        ),
        "The softmax runs over the examples. It belongs on the last axis, the classes.": lambda z, k: (
            _p(z, axis=0) - _onehot(z, k)
        ),
        "That is the gradient of a loss that applies the softmax twice: a certain example pushes no more.": _through_softmax,
        "That is the gradient of the squared error of the probabilities; it is 0 where the model is certain and wrong.": _squared,
        "exp(z) overflows: take each row's largest logit off first.": lambda z, k: (
            np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True) - _onehot(z, k)
        ),
    },
    lambda answer: answer(_logits(), _LABELS.copy()),
)

floor = Exercise(
    "loss_floor",
    LESSON,
    "put the right class at high, all others at low, and write the loss.",
    lambda c, low, high: np.log(1 + (c - 1) * np.exp(low - high)),
    {
        "That is the highest loss: the right class sits at low there.": lambda c, low, high: np.log(
            1 + (c - 1) * np.exp(high - low)
        ),
        "There are C - 1 other classes, not C.": lambda c, low, high: np.log(1 + c * np.exp(low - high)),
        "That holds for low = 0 only, as for probabilities.": lambda c, low, high: np.log(1 + (c - 1) * np.exp(-high)),
        "That is the loss of a model that knows nothing: all logits equal.": lambda c, low, high: np.log(c),
        "That is the right class's term left out of the sum: logsumexp runs over all classes.": lambda c, low, high: (
            np.log(c - 1) + low - high
        ),
        "That is the floor for probabilities, low = 0 and high = 1. Use low and high.": lambda c, low, high: (
            np.log(np.e + c - 1) - 1
        ),
        "The right class's logit is still to be subtracted: the loss is logsumexp(z) - z_k.": lambda c, low, high: (
            np.log(np.exp(high) + (c - 1) * np.exp(low))
        ),
        "That is the probability of the right class; the loss is minus its logarithm.": lambda c, low, high: (
            1 / (1 + (c - 1) * np.exp(low - high))
        ),
    },
    lambda answer: [answer(10, -1.0, 1.0), answer(50257, -0.5, 3.0), answer(2, 2.0, 9.0)],
)


def _batches():
    return np.array([2.0, 0.5, np.nan, 7.0, np.nan]), np.array([256.0, 30.0, 0.0, 1.0, 0.0])


def _whole(means, counts):
    sums = np.where(counts > 0, means * counts, 0.0)
    return sums.sum() / counts.sum()


mean_of_all = Exercise(
    "mean_of_all",
    LESSON,
    "mean times count is a batch's sum; add the sums, add the counts, divide once.",
    _whole,
    {
        "NaN times 0 is NaN: leave out the batches in which nothing counts.": lambda m, n: (m * n).sum() / n.sum(),
        "That is a mean of batch means (NaNs skipped): a batch with one label weighs as much as one with 256.": lambda m, n: (
            np.nanmean(m)
        ),
        "That is a mean of batch means, with an empty batch counted as a loss of 0.": lambda m, n: np.nan_to_num(
            m
        ).mean(),
        "You divided by the number of batches. Divide by the number of labels.": lambda m, n: np.nansum(m * n) / len(n),
        "That is the sum over all labels; divide it by how many there are.": lambda m, n: np.nansum(m * n),
        "You divided as if every batch were as full as the largest. Divide by the sum of the counts.": lambda m, n: (
            np.nansum(m * n) / (len(n) * n.max())
        ),
    },
    lambda answer: answer(*_batches()),
)

EXERCISES = [log_softmax, gradient, floor, mean_of_all]
