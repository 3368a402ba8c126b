"""Exercises of the lesson on soft targets and weights, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise

_V, _W = np.array([2.0, 0.5, 7.0]), np.array([19.0, 1.0, 1.0])

share = Exercise(
    "micro_batch_share",
    "which divisor is the same for all micro-batches, and makes the sum a weighted mean?",
    {
        "Divided by its own weights, each micro-batch is compared with itself only.": lambda v, w, B, m: (
            np.sum(w * v) / np.sum(w)
        ),
        "The mean weight is missing: the loss would grow with the weights.": lambda v, w, B, m: np.sum(w * v) / B,
        "Divide by the number in the whole batch, not in this micro-batch.": lambda v, w, B, m: np.mean(w * v) / m,
        "The weights do not enter.": lambda v, w, B, m: np.sum(v) / B,
        "Multiplied by the mean weight where it must be divided.": lambda v, w, B, m: np.sum(w * v) * m / B,
        "That is still this micro-batch's own weighted mean, only scaled: its own weights divide.": lambda v, w, B, m: (
            np.sum(w * v) / np.sum(w) * len(v) / B
        ),
        "Divided by the mean weight, but the weights do not enter above.": lambda v, w, B, m: np.sum(v) / (B * m),
        "Divided once too often: B already counts the examples.": lambda v, w, B, m: np.mean(w * v) / (B * m),
        "Its own weights divide: they differ from one micro-batch to the next.": lambda v, w, B, m: (
            np.sum(w * v) / np.sum(w) / B
        ),
        "Nothing divides: the batch size and the mean weight are missing.": lambda v, w, B, m: np.sum(w * v),
        "Dividing by at least 1 suits a 0/1 mask; weights may be small.": lambda v, w, B, m: (
            np.sum(w * v) / max(B * m, 1)
        ),
        "Divide by B too.": lambda v, w, B, m: np.sum(w * v) / m,
    },
    lambda answer: [
        answer(_V, _W, 32, 1.9),
        answer(_V[:1], _W[:1], 8, 1.9),
        answer(_V, np.array([0.0, 0.4, 3.7]), 5, 0.1),
    ],
)


def _votes(votes):
    smoothed = votes + 1 / votes.shape[1]
    return smoothed / smoothed.sum(1, keepdims=True)


votes = Exercise(
    "from_votes",
    "one vote more in each row: how much of it goes to each class?",
    {
        "The extra vote is missing: a class without votes has the probability 0.": lambda v: (
            v / v.sum(1, keepdims=True)
        ),
        "One more vote in all, not one more for each class.": lambda v: (v + 1) / (v + 1).sum(1, keepdims=True),
        "The one vote is shared: each class gets 1 / C of it, not a whole one.": lambda v: (
            (v + 1) / (v.sum(1, keepdims=True) + 1)
        ),
        "The extra vote counts in the divisor, but no class received it.": lambda v: v / (v.sum(1, keepdims=True) + 1),
        "Each row must sum to 1.": lambda v: v + 1 / v.shape[1],
        "Rows are examples: divide by the votes of the example, not of the class.": lambda v: (
            (v + 1 / v.shape[1]) / (v + 1 / v.shape[1]).sum(0)
        ),
        "The extra vote also counts in the divisor.": lambda v: (v + 1 / v.shape[1]) / v.sum(1, keepdims=True),
        "That is the hard label of the majority.": lambda v: (v == v.max(1, keepdims=True)) * 1.0,
        "That smooths the label of the majority; the other votes count too.": lambda v: (
            ((v == v.max(1, keepdims=True)) * v.sum(1, keepdims=True) + 1 / v.shape[1]) / (v.sum(1, keepdims=True) + 1)
        ),
        "The row has one vote more in the end, not one for each class.": lambda v: (
            (v + 1 / v.shape[1]) / (v.sum(1, keepdims=True) + v.shape[1])
        ),
        "Spread over the classes, not over the examples.": lambda v: (
            (v + 1 / len(v)) / (v + 1 / len(v)).sum(1, keepdims=True)
        ),
        "One vote is not half of all: it weighs less the more votes a row has.": lambda v: (
            (v / v.sum(1, keepdims=True) + 1 / v.shape[1]) / 2
        ),
        "One vote among n + 1 is the share 1 / (n + 1): not a fixed amount.": lambda v: (
            0.9 * v / v.sum(1, keepdims=True) + 0.1 / v.shape[1]
        ),
        "Of n + 1 votes one is new: its share is 1 / (n + 1), not 1 / n.": lambda v: (
            (1 - 1 / v.sum(1, keepdims=True)) * v / v.sum(1, keepdims=True) + 1 / v.sum(1, keepdims=True) / v.shape[1]
        ),
        "Add the vote to the counts, before you divide by their sum.": lambda v: (
            v / v.sum(1, keepdims=True) + 1 / v.shape[1]
        ),
        "Divide by the votes of the row, not by all votes.": lambda v: (
            (v + 1 / v.shape[1]) / (v + 1 / v.shape[1]).sum()
        ),
    },
    lambda answer: [
        answer(np.array([[3.0, 0, 1, 0], [0, 0, 0, 7], [2, 1, 1, 1]])),
        answer(np.array([[9.0, 2], [0, 1]])),
    ],
)


undo = Exercise(
    "unweighted",
    "what did the weight do to the odds of class 1?",
    {
        "The other way round: the weighted model says class 1 too often.": lambda p, w: w * p / (w * p + 1 - p),
        "Dividing the probability is not enough: the two must still sum to 1.": lambda p, w: p / w,
        "Those are the odds; a probability is asked for.": lambda p, w: p / (1 - p) / w,
        "Log-odds fall by log(w); they are not divided by w.": lambda p, w: 1 / (1 + ((1 - p) / p) ** (1 / w)),
        "Multiplied where it must be divided, and those are odds; a probability is asked for.": lambda p, w: (
            w * p / (1 - p)
        ),
        "That is the probability of class 0.": lambda p, w: 1 / (1 + p / (1 - p) / w),
        "From odds o to a probability: o / (1 + o), not o / (1 - o).": lambda p, w: p / (w * (1 - p) - p),
        "Those are the log-odds; a probability is asked for.": lambda p, w: np.log(p / (1 - p) / w),
        "Log-odds fall by log(w), not by w.": lambda p, w: 1 / (1 + (1 - p) / p * np.exp(w)),
        "The odds are divided by w; it is the log-odds that fall by log(w).": lambda p, w: (
            1 - 1 / (1 + p / (1 - p) - np.log(w))
        ),
        "That mixes p with the weight's share; the odds are what was multiplied.": lambda p, w: (
            p - (w - 1) / (w + 1) * p
        ),
    },
    lambda answer: [answer(np.array([0.5, 0.95, 0.05, 0.99, 0.999]), 19.0), answer(np.array([0.3, 0.8]), 3.0)],
)

EXERCISES = [share, votes, undo]
