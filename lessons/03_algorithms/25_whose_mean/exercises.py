"""Exercises of the lesson on means."""

import numpy as np

from lessons_lib.exercises import Exercise, on

EXERCISES = [
    Exercise(
        "weight_in_last",
        "which share of its batch's mean has an example in a batch of n?",
        {
            "Upside down: in a short batch one example weighs more.": "size / last -> last / size",
            "If all batches are full, nothing is left over, and the last batch has `size` examples.": (
                "(examples - 1) % size + 1 -> examples % size or np.inf"
            ),
            "That is how many examples the last batch has.": "size / last -> last",
            "Compare with a full batch, not with the mean over all.": "size / last -> examples / size / last",
        },
        on((1258, 256), (512, 256), (513, 256), (10, 4)),
    ),
    Exercise(
        "class_weighted_mean",
        "what is the divisor if all examples belong to a class of weight 3?",
        {
            "You divided by the number of examples. Divide by the sum of their weights.": "w.sum() -> len(w)",
            "You divided by the sum of the classes' weights. Each example brings its own.": "w.sum() -> weights.sum()",
            "That is the sum. Divide it by the sum of the weights.": "/ w.sum() ->",
            "That is the mean without weights.": "(w * values).sum() / w.sum() -> values.mean()",
        },
        on(
            (np.array([0.5, 2.0, 7.0, 1.0]), np.array([2, 0, 0, 1]), np.array([0.5, 4.0, 3.0])),
            (np.array([1.0, 3.0, 6.0]), np.array([1, 0, 1]), np.array([2.0, 0.25, 1.0])),
        ),
    ),
    Exercise(
        "mean_of_all",
        "what is the sum of the losses of one batch?",
        {
            "Your result is NaN: batches in which nothing counts are still in it. Leave them out; weigh the rest.": (
                "np.where(counts > 0, means * counts, 0.0) -> means * counts"
            ),
            "That is a mean of batch means: a batch of one label weighs as much as one of 256.": lambda means, counts: (
                np.nanmean(means)
            ),
            "That is a mean of batch means, and an empty batch counts as 0.": lambda means, counts: np.nan_to_num(
                means
            ).mean(),
            "You divided by the number of batches. Divide by the number of labels.": "counts.sum() -> len(counts)",
            "You divided by the number of batches that are not empty. Divide by the number of labels.": (
                "counts.sum() -> (counts > 0).sum()"
            ),
            "A batch that counts and is NaN must stay visible: ask for a count of 0, not for NaN.": (
                "counts > 0 -> ~np.isnan(means)"
            ),
            "That is the sum over all labels; divide it by how many there are.": "/ counts.sum() ->",
            "You divided as if all batches were as full as the fullest.": (
                "counts.sum() -> (len(counts) * counts.max())"
            ),
        },
        on(
            (np.array([np.nan, 2.0, 0.5, np.nan, 7.0]), np.array([0.0, 256.0, 30.0, 0.0, 1.0])),
            (np.array([2.0, 0.5, 7.0, np.nan]), np.array([256.0, 30.0, 1.0, 0.0])),
            (np.array([2.0, np.nan]), np.array([256.0, 30.0])),
        ),
    ),
]
