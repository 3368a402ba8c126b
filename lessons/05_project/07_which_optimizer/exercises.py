"""Exercises of the lesson on which optimizer to take."""

import numpy as np

from lessons_lib.exercises import Exercise, on

R = np.array([0.001, 0.003, 0.01, 0.03, 0.1])
NAN = np.nan
TABLES = (
    [[4.9, 4.2, 4.4, 4.6, 5.0], [4.8, 4.5, 4.4, 4.7, 5.2], [4.7, 4.6, 4.3, 4.5, 9.0]],
    [[4.1, 4.2, 4.4, 4.6, 5.0], [4.0, 4.5, 4.4, 4.7, 5.2], [4.3, 4.6, 4.3, 4.5, 3.9]],
    [[4.9, 4.8, 4.7, 4.6, 4.5], [4.8, 4.5, 4.4, 4.7, 4.2], [4.7, 4.6, 4.3, 4.5, 4.0]],
    [[4.9, 4.8, 4.7, 4.2, 4.1], [4.8, 4.5, 4.4, 4.3, NAN], [4.7, 4.6, 4.5, 4.4, 4.0]],
    [[4.9, 4.8, 4.7, 4.2, NAN], [4.8, 4.5, 4.4, NAN, NAN], [4.7, 4.1, 4.5, NAN, NAN]],
    [[5.0, 4.6, 4.6, 4.7, 4.8], [5.1, 4.7, 4.6, 4.6, 4.9], [5.0, 3.0, 4.4, 4.5, 4.6], [5.2, 6.4, 4.5, 4.4, 4.7]],
)


def picked(answer):
    found = [answer(R * 10**k, np.array(table)) for k, table in enumerate(TABLES)]
    return [[np.asarray(rate), np.asarray(mean), np.asarray(inside, dtype=float)] for rate, mean, inside in found]


EXERCISES = [
    Exercise(
        "kept",
        "count what each rule must remember between two steps: a sum, an average, two averages.",
        {
            "SGD remembers nothing.": "[0, n -> [n, n",
            "Momentum keeps its sum: one number per parameter.": "0, n, -> 0, 0 * n,",
            "Adam keeps two averages per parameter.": "2 * n -> n",
            "Muon's embedding and vectors are with Adam, which keeps two numbers for each.": "2 * others -> others",
            "Muon itself keeps one average, not two.": "[0, n, 2 * n, inner + 2 * others] -> [0, n, 2 * n, 2 * n]",
            "Inside Muon keeps one number, on the rest Adam two, not the other way round.": (
                "inner + 2 * others -> 2 * inner + others"
            ),
            "The parameters themselves are not asked for.": lambda inner, others: (
                np.array([1, 2, 3, 2]) * inner + np.array([1, 2, 3, 3]) * others
            ),
        },
        on((106_000, 33_000), (7, 5), (100, 0), (3, 40)),
    ),
    Exercise(
        "pick",
        "a mean over the seeds for each rate, then the place of the lowest.",
        {
            "NaN is the smallest of all for argmin. Put infinity in its place.": (
                "np.where(np.isnan(mean), np.inf, mean) -> mean"
            ),
            "A rate at which one seed diverged is out, however good the others are.": (
                "losses.mean(axis=0) -> np.nanmean(np.where(np.isnan(losses).all(0), np.inf, losses), axis=0)"
            ),
            "The lowest mean decides, not the luckiest seed.": "losses.mean -> losses.min",
            "A mean over the seeds, not a median.": "losses.mean( -> np.median(losses, ",
            "The lowest loss, not the highest.": "argmin -> argmax",
            "The first rate is an end of the grid, too.": "0 < i -> 0 <= i",
            "The last rate is an end of the grid, too.": "len(rates) - 1 -> len(rates)",
            "Return the rate, not its place.": "rates[i], -> i,",
            "True means that the best rate lies inside.": "0 < i < len(rates) - 1 -> i in (0, len(rates) - 1)",
        },
        picked,
        returns=3,
    ),
    Exercise(
        "swapped",
        "take two rules: which is ahead before, which after?",
        {
            "Each pair is counted twice.": "// 2 ->",
            "Those are the pairs that keep their order.": "!= -> ==",
            "Count pairs of rules, not rules that have another place.": lambda before, after: int(
                (np.argsort(np.argsort(np.asarray(before))) != np.argsort(np.argsort(np.asarray(after)))).sum()
            ),
            "All pairs count, not only the rules that stand side by side in the list.": lambda before, after: int(
                (np.diff(np.asarray(before)) * np.diff(np.asarray(after)) < 0).sum()
            ),
        },
        on(
            (np.array([5.0, 4.5, 4.2, 3.9]), np.array([4.6, 4.7, 4.0, 3.5])),
            (np.array([5.0, 4.5, 4.2, 3.9, 4.1]), np.array([3.6, 4.7, 4.0, 5.5, 4.4])),
            (np.array([5.0, 4.5, 4.2]), np.array([4.9, 4.4, 3.2])),
            (np.array([2.0, 4.5, 4.2, 1.0]), np.array([4.9, 4.4, 3.2, 5.0])),
        ),
    ),
]
