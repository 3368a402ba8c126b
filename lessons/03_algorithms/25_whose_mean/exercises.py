"""Exercises of the lesson on means."""

import numpy as np

from lessons_lib.exercises import Exercise, on

EXERCISES = [
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
    )
]
