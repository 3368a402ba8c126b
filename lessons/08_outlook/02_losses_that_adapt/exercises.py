"""Exercises of the lesson on losses that adapt."""

import numpy as np

from lessons_lib.exercises import Exercise, on

A, B = np.array([0.95, 0.061, 3.2]), np.array([0.9, 0.066, 4.5])
THETA, GRADS = np.array([0.3, -1.2]), np.array([[0.5, -2.0], [1.5, 0.7], [-0.4, 0.9]])
S, LOSSES = np.array([0.4, -0.7, 1.3]), np.array([2.1, 0.3, 5.0])

EXERCISES = [
    Exercise(
        "change",
        "with every s at its best, J is K plus the sum of the logarithms of the losses.",
        {
            "The sign is wrong: after minus before.": "after / before -> before / after",
            "That is the change of the plain sum. The objective holds logarithms.": (
                "np.log(after / before) -> (after - before)"
            ),
            "The objective is a sum over the tasks, not a mean.": ".sum() -> .mean()",
            "That keeps the old weights. They move along, so the change is one of logarithms.": (
                "np.log(after / before) -> (after / before - 1)"
            ),
            "That is the change of the logarithm of the sum. Take the logarithm of each loss.": (
                "np.log(after / before).sum() -> np.log(after.sum() / before.sum())"
            ),
            "That is the ratio of the two products. The objective is its logarithm.": (
                "np.log(after / before).sum() -> (after / before).prod()"
            ),
        },
        on((A, B), (B, A), (A[:2], B[:2]), (B[1:], A[1:])),
    ),
    Exercise(
        "step",
        "two slopes of J: that in theta is a weighted sum of gradients, that in s is 1 - exp(-s) L.",
        {
            "The weight of a task is exp(-s), not exp(s).": "np.exp(-s) -> np.exp(s)",
            "theta climbs. Descend: subtract its slope.": "theta - lr -> theta + lr",
            "s climbs. Descend: subtract its slope.": "s - lr -> s + lr",
            "The price of s is missing: its slope is 1.": "(1 - weight * losses) -> (0 - weight * losses)",
            "Those are the best weights, 1 / L. The step uses the present ones, exp(-s).": (
                "np.exp(-s) -> 1 / losses"
            ),
            "s jumps to log L. One step of gradient descent is asked for.": (
                "s - lr * (1 - weight * losses) -> np.log(losses)"
            ),
            "The gradients in theta are not weighed.": "weight @ grads -> grads.sum(0)",
            "The weighted gradients are summed over the tasks, not averaged.": (
                "weight @ grads -> weight @ grads / len(losses)"
            ),
            "The learning rate is missing in the step of s.": "s - lr * (1 -> s - (1",
        },
        on(
            (THETA, S, LOSSES, GRADS, 0.1),
            (2 * THETA, -S, LOSSES, GRADS, 0.03),
            (THETA[::-1], S[:2], LOSSES[1:], GRADS[:2], 1.0),
        ),
        returns=2,
    ),
    Exercise(
        "meet",
        "multiply the two losses, and write theta as d/2 + t.",
        {
            "That is where the sum is lowest. The product has another minimum when n is small.": (
                "np.sqrt(max(d * d / 4 - n, 0)) -> 0 * n"
            ),
            "Those are the minima of the two tasks alone; the floor n moves them inwards.": (
                "max(d * d / 4 - n, 0) -> d * d / 4"
            ),
            "The two places lie as far to either side of d/2, not of 0.": (
                "d / 2 - apart, d / 2 + apart -> -apart, apart"
            ),
            "That is t squared; take its root.": "np.sqrt(max(d * d / 4 - n, 0)) -> max(d * d / 4 - n, 0)",
            "The smaller place comes first.": "d / 2 - apart, d / 2 + apart -> d / 2 + apart, d / 2 - apart",
            "Where the floor is high, there is one minimum, in the middle: t squared is never negative.": (
                "max(d * d / 4 - n, 0) -> abs(d * d / 4 - n)"
            ),
            "The distance from d/2 is asked for on both sides: one place lies above the middle.": (
                "d / 2 + apart -> d / 2 - apart"
            ),
        },
        on((1.0, 0.05), (1.0, 0.4), (4.0, 1.0), (3.0, 2.0), (0.6, 0.2), (5.0, 6.25)),
        returns=2,
    ),
]
