"""Exercises of the lesson on margins."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def every_rival(z, label):
    lacking = np.where(np.arange(len(z)) == label, 0.0, np.maximum(0, 1 - z[label] + z))
    grad = (lacking > 0) * 1.0
    grad[label] = -np.sum(lacking > 0)
    return np.sum(lacking), grad


def batches(answer):
    distance, same = np.array([1.2, 0.5, 0.8, 2.0, 0.9, 3.0]), np.array([True, False, True, False, False, False])
    return (
        [answer(distance, same, limit) for limit in (0.4, 0.4999, 0.6, 0.9, 1.0, 5.0)]
        + [answer(np.array([0.0, 1.5, 0.7, 1.5, 2.5]), np.array([True, True, False, False, False]), 1.0)]
        + [answer(np.array([0.2, 4.0, 0.1, 0.3]), np.array([True, True, False, False]), 0.5)]
        + [answer(np.array([3.0, 2.5, 0.1, 2.0]), np.array([False, False, True, False]), far) for far in (1.0, 5.0)]
    )


EXERCISES = [
    Exercise(
        "classes_hinge",
        "which two scores decide, and what are the slopes of the loss by each of them?",
        {
            "The right class cannot be its own rival: leave it out of the maximum.": (
                "others = np.where(np.arange(len(z)) == label, -np.inf, z) -> others = z"
                "; grad[rival], grad[label] = 1.0, -1.0 -> grad[rival] += 1\n        grad[label] -= 1"
            ),
            "Only the strongest rival counts; you add up all of them.": every_rival,
            "That is PyTorch's multi_margin_loss; here only the strongest rival counts.": lambda z, label: [
                part / len(z) for part in every_rival(z, label)
            ],
            "Where the lead is enough, value and gradient are 0.": (
                "max(0.0, 1 - z[label] + z[rival]) -> 1 - z[label] + z[rival]; if value > 0 -> if True"
            ),
            "The lead is the right class's score less its rival's, not the other way round.": (
                "1 - z[label] + z[rival] -> 1 + z[label] - z[rival]; 1.0, -1.0 -> -1.0, 1.0"
            ),
            "The second largest score is the rival only where the right class has the largest.": (
                "np.argmax(others) -> np.argsort(z)[-2]"
            ),
            "The margin of 1 is missing.": "1 - z -> -z",
            "The sign of the gradient is wrong.": "1.0, -1.0 -> -1.0, 1.0",
            "The value is right. Where the lead is enough, the gradient is 0.": "if value > 0 -> if True",
            "Without the right class the places after it shift by one: look the rival up in all of z.": (
                "np.argmax(others) -> np.argmax(np.delete(z, label))"
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
    ),
    Exercise(
        "auc",
        "how many pairs are there, and what does one pair contribute?",
        {
            "Ties count half.": "+ (lead == 0) / 2 ->",
            "Ties count half, not fully.": "(lead == 0) / 2 -> (lead == 0)",
            "The wrong way round: the positive should be higher.": "lead > 0 -> lead < 0",
            "A share: divide by the number of pairs.": "np.mean -> np.sum",
            "That is 2 AUC - 1: a pair the wrong way round counts 0, not -1.": (
                "(lead > 0) + (lead == 0) / 2 -> np.sign(lead)"
            ),
            "Divide by the number of pairs, not of positives.": "np.mean -> 1 / len(positive) * np.sum",
            "Divide by the number of pairs, not of negatives.": "np.mean -> 1 / len(negative) * np.sum",
            "Yours meets only the negative at its own place; every positive meets every negative.": lambda p, n: (
                np.mean([(a > b) + (a == b) / 2 for a, b in zip(p, n, strict=False)])
            ),
            "A tie is a pair too: it belongs to the number of pairs.": (
                "np.mean((lead > 0) + (lead == 0) / 2) -> np.sum(lead > 0) / max(np.sum(lead != 0), 1)"
            ),
            "How far the positive leads does not matter, only whether it does.": "(lead > 0) + (lead == 0) / 2 -> lead",
        },
        on(
            (np.array([0.3, 0.9, 0.5, 0.5]), np.array([0.5, 0.1, 0.7])),
            (np.array([2.0, -1.0]), np.array([2.0, 2.0, -5.0, -1.0, 1.0])),
            (np.ones(3), np.ones(4)),
            (np.array([0.5, -0.1]), np.array([0.1, 0.500001])),  # near is no tie
        ),
    ),
    Exercise(
        "semi_hard",
        "two conditions, then the nearest of those who are left. And if nobody is?",
        {
            "That is the hardest negative: it may be nearer than the positive.": (
                "distance[other] > d_p -> distance[other] >= 0"
            ),
            "That is the easiest negative.": "beyond[np.argmin(distance[beyond])] if len(beyond) else ->",
            "An example of the same class is no negative.": "~same -> same >= 0",
            "That is a place among the negatives; its index in the batch is asked for.": (
                "beyond[np.argmin(distance[beyond])] -> np.argmin(distance[beyond])"
                "; other[np.argmax(distance[other])] -> np.argmax(distance[other])"
            ),
            "If no negative is farther than the positive, take the farthest of them.": (
                "other[np.argmax(distance[other])] -> 0"
            ),
            "If nobody is farther than the positive: the farthest of the others, not the nearest.": "argmax -> argmin",
            "If no negative is far enough: the farthest of the negatives, not of all.": (
                "other[np.argmax(distance[other])] -> np.argmax(distance)"
            ),
            "The place of the nearest is one among those far enough: look its index up among these.": (
                "beyond[np.argmin(distance[beyond])] -> other[np.argmin(distance[beyond])]"
            ),
            "Farther than the positive: just as far is not enough.": "> d_p -> >= d_p",
            "The index is asked for, not the distance.": (
                "beyond[np.argmin(distance[beyond])] -> min(distance[beyond])"
                "; other[np.argmax(distance[other])] -> max(distance[other])"
            ),
        },
        batches,
    ),
]
