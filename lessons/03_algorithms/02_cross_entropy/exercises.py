"""Exercises of the lesson on multi-class cross-entropy."""

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


EXERCISES = [
    Exercise(
        "loss_floor",
        "how far above the others can the right logit stand?",
        {
            "That is the highest loss: there the right class sits at low.": "low - high -> high - low",
            "There are C - 1 other classes, not C.": "(classes - 1) -> classes",
            "That holds only if low = 0. The other classes sit at low.": "low - high -> -high",
            "That is the loss of a model that knows nothing: all logits equal.": lambda c, low, high: np.log(c),
            "The right class is missing from the sum: log-sum-exp runs over all classes.": "1 + (classes -> (classes",
            "The right logit is missing: the loss ends in - z_k, and z_k is high.": (
                "1 + (classes - 1) * np.exp(low - high) -> np.exp(high) + (classes - 1) * np.exp(low)"
            ),
            "That is the floor for probabilities, from 0 to 1. Use low and high.": "low - high -> -1",
        },
        on((10, -1.0, 1.0), (50257, -0.5, 3.0), (2, 2.0, 4.0)),
    ),
    Exercise(
        "ce_grad",
        "derivation 1: the loss is log-sum-exp minus the right logit. Which number may be taken off a row?",
        {
            "exp(z) overflows for a large logit. Take each row's largest logit off first.": (
                "logits - logits.max(axis=-1, keepdims=True) -> logits"
            ),
            "The largest logit of the whole array leaves nothing of a row far below. Take each row's own.": (
                "max(axis=-1, keepdims=True) -> max()"
            ),
            "You took the largest logit off inside the sum only: use the shifted logits outside too.": (
                "(y * shifted) -> (y * logits)"
            ),
            "log p is -inf where p was rounded to 0. Use log-sum-exp minus the right logit.": (
                "np.log(s[:, 0]) - (y * shifted).sum(axis=-1) -> -np.log((y * e / s).sum(axis=-1))"
            ),
            "A small number inside the logarithm only hides the infinity. Use log-sum-exp minus the right logit.": (
                "np.log(s[:, 0]) - (y * shifted).sum(axis=-1) -> -np.log((y * e / s).sum(axis=-1) + 1e-12)"
            ),
            "exp(800) is infinite, and p is then 0 or NaN. Take each row's largest logit off first.": (
                "logits - logits.max(axis=-1, keepdims=True) -> logits; "
                "np.log(s[:, 0]) - (y * shifted).sum(axis=-1) -> -np.log((e / s)[np.arange(len(labels)), labels])"
            ),
            "0 times log 0 is NaN. Use log-sum-exp minus the right logit.": (
                "np.log(s[:, 0]) - (y * shifted).sum(axis=-1) -> -(y * np.log(e / s)).sum(axis=-1)"
            ),
            "Take each row's own largest logit off, not the whole array's; and take no log of a p that may be 0.": (
                "max(axis=-1, keepdims=True) -> max(); "
                "np.log(s[:, 0]) - (y * shifted).sum(axis=-1) -> -np.log((y * e / s).sum(axis=-1))"
            ),
            "You took the maximum and the sum over the examples. The classes are the last axis.": (
                "max(axis=-1 -> max(axis=0; e.sum(axis=-1 -> e.sum(axis=0; s[:, 0] -> s[0, 0]"
            ),
            "The slope is the softmax alone; the label is missing.": "e / s - y -> e / s",
            "The sign of the slope is wrong: a larger logit of the right class must lower the loss.": (
                "e / s - y -> y - e / s"
            ),
            "That is the slope of the mean. Per example there is no division by N.": (
                "e / s - y -> (e / s - y) / len(y)"
            ),
        },
        on((FIVE, np.array([3, 1, 0, 2, 3])), (TWO, np.array([0, 2])), (FIVE[2:], np.array([1, 1, 0]))),
        returns=2,
    ),
    Exercise(
        "steps_to_forget",
        "the shares y sum to 1, and the last one is 0. A loop that never ends has a last p that does not fall: "
        "look at y, and at the sign of the step.",
        {
            "The classes that occur share 1 equally: there are C - 1 of them.": "1 / (classes - 1) -> 1 / classes",
            "You count one step too many: look at p before the step.": "return steps -> return steps + 1",
            "Look before the first step: p may be below the limit already.": "return steps -> return max(steps, 1)",
            "Below the limit for the first time: your loop stops one step early.": (
                "return steps -> return max(steps - 1, 0)"
            ),
            "Shares sum to 1: each class that occurs has 1 / (C - 1).": "1 / (classes - 1) -> 1",
            "That is the slope of the sum over C - 1 examples. The mean's is p - y.": (
                "lr * (p - y) -> lr * (classes - 1) * (p - y)"
            ),
            "The learning rate is missing from the step.": "lr * (p - y) -> (p - y)",
            "Only the last logit moves in your loop. The slopes of the others, p - y, are not 0.": (
                "lr * (p - y) -> lr * p * (y == 0)"
            ),
        },
        on((2, 1.0, 0.5), (10, 1.0, 0.02), (10, 1.0, 0.2), (3, 0.25, 0.15), (5, 4.0, 0.05), (30, 0.5, 0.02)),
    ),
]
