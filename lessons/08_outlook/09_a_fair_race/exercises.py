"""Exercises of the lesson on a fair race."""

import numpy as np

from lessons_lib.exercises import Exercise, on

rng = np.random.default_rng(5)
LOSSES = rng.gamma(2.0, size=(8, 9, 7))
TRIES = [np.array(t) for t in ([3, 0, 7], [8, 2, 5, 1], [4], [6, 3, 1, 2], [7, 8, 0], [2, 6, 5], [1, 4, 3, 8], [5, 7])]
HARD = rng.normal(size=6) * 3  # a seed is hard for all rules
CLOSE = HARD + np.array([[0.4], [0.0], [0.15], [1.3], [0.05]]) + 0.2 * rng.normal(size=(5, 6))

EXERCISES = [
    Exercise(
        "newcomer_wins",
        "each of all the tries is equally likely to be the best one.",
        {
            "There are several rivals, and each has its tries.": "rivals * n -> n",
            "The newcomer's own tries count among all tries.": "m + rivals * n -> rivals * n",
            "That is the chance of all the rivals together.": "return m / -> return rivals * n /",
            "The rivals' tries add up: multiply their number by n.": "rivals * n -> rivals + n",
            "Only as many tries as the rivals have would make everybody equally likely.": (
                lambda m, rivals, n: 1 / (1 + rivals)
            ),
        },
        on((8, 1, 2), (20, 7, 5), (3, 4, 3), (1, 2, 9)),
    ),
    Exercise(
        "tune_and_judge",
        "choose with the first seeds, and read the result off the others.",
        {
            "That is the loss with which the rate was chosen. Judge on the other seeds.": "few:] -> :few]",
            "The judging seeds chose the rate. Only the tuning seeds may.": ":few].mean -> few:].mean",
            "np.argmin counts within the tries: look up that rate.": "tries[np.argmin(tune)] -> np.argmin(tune)",
            "Only the rates that were tried may be kept.": lambda loss, tries, few: loss[
                np.argmin(loss[:, :few].mean(axis=1)), few:
            ].mean(),
            "The lowest loss wins, not the highest.": "np.argmin -> np.argmax",
            "All seeds judge here; those that tuned may not.": "few:].mean() -> :].mean()",
            "All seeds tune here; those that judge may not.": ":few].mean -> :].mean",
            "The best judging seed flatters. Take the mean.": "few:].mean() -> few:].min()",
            "One lucky tuning seed chose the rate. Take their mean.": ".mean(axis=1) -> .min(axis=1)",
        },
        on(*((loss, tries, few) for loss, tries in zip(LOSSES, TRIES, strict=True) for few in (2, 3, 4))),
    ),
    Exercise(
        "shares_first",
        "subtract the row of the first, then compare mean and half interval of each row.",
        {
            "Subtract seed by seed. The spread of the losses themselves mixes easy and hard seeds.": (
                "d.std -> losses.std"
            ),
            "The spread divides by the number of seeds less 1: ddof=1.": ", ddof=1 ->",
            "The interval of a mean shrinks with the root of the number of seeds.": "/ np.sqrt(losses.shape[1]) ->",
            "The root of the number of seeds, not the number itself.": "np.sqrt(losses.shape[1]) -> losses.shape[1]",
            "Divide by the number of seeds, not of rules.": "losses.shape[1] -> losses.shape[0]",
            "The first has the lowest mean.": "np.argmin -> np.argmax",
            "Those are the rules that can be told from the first.": "<= -> >",
            "The factor t is missing.": "t * ->",
        },
        on(*((losses, t) for losses in (CLOSE, CLOSE[::-1, :5], CLOSE[1:]) for t in np.geomspace(0.3, 12, 40))),
    ),
]
