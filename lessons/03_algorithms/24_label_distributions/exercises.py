"""Exercises of the lesson on labels that are distributions."""

import numpy as np

from lessons_lib.exercises import Exercise, on

# rows far apart from one another, and within a row logits far apart and near; no place holds each row's largest
FIVE = np.array(
    [
        [0.0, 800.0, -3.0, -800.0],
        [-900.0, -901.0, -899.5, -902.0],
        [0.3, -1.2, 2.0, 0.7],
        [-40.0, 5.0, 5.0, 5.0],
        [3.0, 1.0, -2.0, 0.0],
    ]
)
TWO = np.array([[0.0, 1.0, 1000.0], [0.5, -1.0, 0.2]])


def lowest(counts):
    share = counts / counts.sum(axis=1, keepdims=True)
    return -(counts * np.log(np.where(counts > 0, share, 1.0))).sum() / counts.sum()


EXERCISES = [
    Exercise(
        "log_softmax",
        "which number may be subtracted from a row without changing p?",
        {
            "exp(z) overflows for a large logit. Subtract the row's largest logit first.": (
                "logits - logits.max(axis=-1, keepdims=True) -> logits"
            ),
            "log p is -inf where p was rounded to 0. Do not form p: subtract log-sum-exp from the logits.": (
                "shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)) ->"
                " np.log(np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True))"
            ),
            "A small number inside the logarithm only hides the -inf. Never form p.": (
                "shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)) ->"
                " np.log(np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True) + 1e-12)"
            ),
            "The largest logit of the whole array leaves nothing of a row far below. Take each row's own.": (
                "max(axis=-1, keepdims=True) -> max()"
            ),
            "The first logit of a row need not be its largest: exp can still overflow. Subtract the largest.": (
                "logits.max(axis=-1, keepdims=True) -> logits[:, :1]"
            ),
            "You took the largest logit off inside the sum only: use the shifted logits outside too.": (
                "return shifted -> return logits"
            ),
            "You summed over the examples. The classes are the last axis.": "axis=-1 -> axis=0",
            "The logarithm of the sum is missing: p does not sum to 1.": (
                "- np.log(np.exp(shifted).sum(axis=-1, keepdims=True)) ->"
            ),
        },
        on((FIVE,), (TWO,)),
    ),
    Exercise(
        "smoothed_grad",
        "which lines of the derivation did not need a one-hot y?",
        {
            "The sign is wrong: a larger logit of the right class must lower the loss.": (
                "e / e.sum(axis=-1, keepdims=True) - y -> y - e / e.sum(axis=-1, keepdims=True)"
            ),
            "That is the softmax alone; the label is missing.": "keepdims=True) - y -> keepdims=True)",
            "You ignored the smoothing.": "(1 - smoothing) * np.eye(C)[labels] + smoothing / C -> np.eye(C)[labels]",
            "Smoothing is spread over all C classes, not only over the C - 1 wrong ones.": (
                "smoothing / C -> smoothing / (C - 1) * (1 - np.eye(C)[labels])"
            ),
            "Your labels sum to more than 1: the right class keeps only 1 - smoothing.": "(1 - smoothing) * np -> np",
            "Your labels sum to less than 1: the right class also gets its share smoothing / C.": (
                "smoothing / C -> smoothing / C * (1 - np.eye(C)[labels])"
            ),
            "Each class gets smoothing / C, not smoothing: your labels sum to more than 1.": (
                "smoothing / C -> smoothing"
            ),
            "That is the slope of the mean. Per example there is no division by N.": (
                "e / e.sum(axis=-1, keepdims=True) - y -> (e / e.sum(axis=-1, keepdims=True) - y) / len(y)"
            ),
            "The first logit of a row need not be its largest: exp can still overflow. Subtract the largest.": (
                "logits.max(axis=-1, keepdims=True) -> logits[:, :1]"
            ),
            "exp(z) overflows: take each row's largest logit off first.": (
                "np.exp(logits - logits.max(axis=-1, keepdims=True)) -> np.exp(logits)"
            ),
        },
        on((FIVE, np.array([3, 1, 0, 2, 3]), 0.3), (TWO, np.array([0, 2]), 0.8), (FIVE[2:], np.array([1, 1, 0]), 0.0)),
    ),
    Exercise(
        "lowest_mean_loss",
        "which prediction is best for one input, and what does it cost?",
        {
            "That is the mean over inputs. The mean over examples weighs an input by how often it occurs.": (
                "entropy @ often[:, 0] / counts.sum() -> entropy.mean()"
            ),
            "That is the sum over all examples; divide by how many there are.": "/ counts.sum() ->",
            "The logarithm of 0 is infinite, and 0 times infinity is no number: leave these terms out.": (
                "y + (counts == 0) -> y"
            ),
            "You predict the same for all inputs. A model can tell them apart.": lambda counts: (
                -sum(n / counts.sum() * np.log(n / counts.sum()) for n in counts.sum(axis=0))
            ),
            "The shares of an input's labels sum to 1: divide by its own count.": (
                "counts / often -> counts / counts.sum()"
            ),
            "Inputs are rows, labels are columns; you have them swapped.": lambda counts: lowest(counts.T),
            "The sign is wrong: a loss is minus the logarithm.": "-(y * np.log -> (y * np.log",
        },
        on((np.array([[8.0, 2.0, 0.0], [1.0, 1.0, 2.0]]),), (np.array([[0.0, 5.0], [3.0, 1.0], [40.0, 40.0]]),)),
    ),
]
