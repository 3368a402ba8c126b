"""Exercises of the lesson on the rare class."""

import numpy as np

from lessons_lib.exercises import Exercise, on

P = np.array([0.9, 0.02, 0.4, 0.35, 0.08, 0.6, 0.05, 0.21, 0.55, 0.01])
Y = np.array([1.0, 0, 0, 1, 0, 1, 0, 1, 0, 0])
P2 = np.array([0.3, 0.7, 0.5, 0.1, 0.8, 0.2])
Y2 = np.array([1.0, 0, 1, 0, 0, 1])

EXERCISES = [
    Exercise(
        "report",
        "three shares: of the alarms, of the rare examples, and a mean over the rare examples.",
        {
            "Precision and recall have changed places.": (
                "y[alarm].mean(), alarm[y == 1].mean() -> alarm[y == 1].mean(), y[alarm].mean()"
            ),
            "An alarm is given above the threshold.": "p > t -> p < t",
            "The highest probability comes first.": "np.argsort(-p) -> np.argsort(p)",
            "That is the mean precision over all places. Only those count at which a rare example stands.": (
                "(precisions * hits).sum() / hits.sum() -> precisions.mean()"
            ),
            "The labels must follow the order of the probabilities.": "y[order] -> y",
            "The precision at place k is a share of k examples; the first place has the number 1.": (
                "np.arange(1, len(y) + 1) -> np.arange(2, len(y) + 2)"
            ),
            "Recall is a share of the rare examples, not of all.": (
                "alarm[y == 1].mean() -> (alarm & (y == 1)).mean()"
            ),
            "Precision is a share of the alarms, not of all examples.": "y[alarm].mean() -> (y * alarm).mean()",
            "Divide by the number of rare examples, not of all.": "/ hits.sum() -> / len(y)",
        },
        on((P, Y, 0.5), (P, Y, 0.3), (P2, Y2, 0.15), (P2, Y2, 0.5)),
        returns=3,
    ),
    Exercise(
        "cheapest",
        "try every p as a threshold, and infinity; count both mistakes at each.",
        {
            "The two costs have changed places.": "c_p <-> c_n",
            "That is what the best threshold costs. Return the threshold.": "cuts[costs.argmin()] -> costs.min()",
            "That is the place of the threshold in the list.": "cuts[costs.argmin()] -> costs.argmin()",
            "That is the most expensive threshold.": "argmin -> argmax",
            "Missed examples cost something as well.": "+ c_n * (~alarm & (y == 1)).sum(1) ->",
            "False alarms cost something as well.": "c_p * (alarm & (y == 0)).sum(1) + ->",
            "Giving no alarm at all can be cheapest: try infinity as well.": "np.append(p, np.inf) -> p",
            "An example whose p equals the threshold gives an alarm.": "p >= cuts[:, None] -> p > cuts[:, None]",
            "That is the threshold for true shares. Here the examples decide.": lambda p, y, c_p, c_n: (
                c_p / (c_p + c_n)
            ),
        },
        on(
            (P, Y, 1.0, 20.0),
            (P, Y, 1.0, 1.5),
            (P, Y, 1.0, 0.8),
            (P, Y, 3.0, 1.0),
            (P2, Y2, 1.0, 5.0),
            (P2, Y2, 4.0, 1.0),
        ),
    ),
    Exercise(
        "price",
        "first turn the threshold into odds, then take the weight off.",
        {
            "That holds without a weight. A weight multiplies the odds that the model says.": "w * (1 - t) -> (1 - t)",
            "The ratio is the wrong way round: how many false alarms for one missed example?": (
                "w * (1 - t) / t -> t / (w * (1 - t))"
            ),
            "A lower threshold means that a missed example is more expensive.": "(1 - t) / t -> t / (1 - t)",
            "The threshold on the true share is lower than t, by the weight in the odds.": (
                "w * (1 - t) / t -> (1 - t) / t / w"
            ),
            "That is one over the true share at the threshold. Elkan's rule adds the cost of a false alarm to it.": (
                "w * (1 - t) / t -> w * (1 - t) / t + 1"
            ),
            "That is right for the threshold 1/2 only.": "w * (1 - t) / t -> w",
            "The odds at the threshold are t / (1 - t), not t.": "w * (1 - t) / t -> w / t",
        },
        on((49.0, 0.5), (1.0, 0.2), (20.0, 0.8), (5.0, 0.1), (0.5, 0.9)),
    ),
]
