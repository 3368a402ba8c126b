"""Exercises of the lesson on soft targets and weights."""

import numpy as np

from lessons_lib.exercises import Exercise, on

V, W = np.array([2.0, 0.5, 7.0]), np.array([19.0, 1.0, 1.0])
SUM = "smoothed.sum(1, keepdims=True)"

EXERCISES = [
    Exercise(
        "micro_batch_share",
        "which divisor is the same for all micro-batches, and makes the sum a weighted mean?",
        {
            "Divided by its own weights, each micro-batch is compared with itself only.": (
                "(B * mean_weight) -> np.sum(weights)"
            ),
            "The mean weight is missing: the loss would grow with the weights.": "* mean_weight ->",
            "Divide by the number in the whole batch, not in this micro-batch.": "B * -> len(values) *",
            "The weights do not enter.": "weights * ->; * mean_weight ->",
            "Multiplied by the mean weight where it must be divided.": "(B * mean_weight) -> B * mean_weight",
            "Divided by the mean weight, but the weights do not enter above.": "weights * ->",
            "Divided once too often: B already counts the examples.": "np.sum -> np.mean",
            "Its own weights divide: they differ from one micro-batch to the next.": "mean_weight -> np.sum(weights)",
            "Nothing divides: the batch size and the mean weight are missing.": "/ (B * mean_weight) ->",
            "Divide by B too.": "B * ->",
        },
        on((V, W, 32, 1.9), (V[:1], W[:1], 8, 1.9), (V, np.array([0.0, 0.4, 3.7]), 5, 0.1)),
    ),
    Exercise(
        "from_votes",
        "one vote more in each row: how much of it goes to each class?",
        {
            "The extra vote is missing: a class without votes has the probability 0.": "+ 1 / votes.shape[1] ->",
            "One more vote in all, not one more for each class.": "1 / votes.shape[1] -> 1",
            "The extra vote counts in the divisor, but no class received it.": f"smoothed / {SUM} -> votes / {SUM}",
            "Each row must sum to 1.": f"/ {SUM} ->",
            "Rows are examples: divide by the votes of the example, not of the class.": (
                "sum(1, keepdims=True) -> sum(0)"
            ),
            "The extra vote also counts in the divisor.": "smoothed.sum -> votes.sum",
            "That is the hard label of the majority.": lambda votes: (votes == votes.max(1, keepdims=True)) * 1.0,
            "Spread over the classes, not over the examples.": "votes.shape[1] -> votes.shape[0]",
            "Add the vote to the counts, before you divide by their sum.": (
                f"smoothed / {SUM} -> votes / votes.sum(1, keepdims=True) + 1 / votes.shape[1]"
            ),
            "Divide by the votes of the row, not by all votes.": "sum(1, keepdims=True) -> sum()",
        },
        on((np.array([[3.0, 0, 1, 0], [0, 0, 0, 7], [2, 1, 1, 1]]),), (np.array([[9.0, 2], [0, 1]]),)),
    ),
    Exercise(
        "unweighted",
        "what did the weight do to the odds of class 1?",
        {
            "The other way round: the weighted model says class 1 too often.": (
                "p / (p + w * (1 - p)) -> w * p / (w * p + 1 - p)"
            ),
            "Dividing the probability is not enough: the two must still sum to 1.": "(p + w * (1 - p)) -> w",
            "Those are the odds; a probability is asked for.": "p + w -> w",
            "Log-odds fall by log(w); they are not divided by w.": (
                "p / (p + w * (1 - p)) -> 1 / (1 + ((1 - p) / p) ** (1 / w))"
            ),
            "That is the probability of class 0.": "return p -> return w * (1 - p)",
            "From odds o to a probability: o / (1 + o), not o / (1 - o).": "p + w * (1 - p) -> w * (1 - p) - p",
            "Those are the log-odds; a probability is asked for.": "p / (p + w * (1 - p)) -> np.log(p / (1 - p) / w)",
            "Log-odds fall by log(w), not by w.": "w -> np.exp(w)",
        },
        on((np.array([0.5, 0.95, 0.05, 0.99, 0.999]), 19.0), (np.array([0.3, 0.8]), 3.0)),
    ),
]
