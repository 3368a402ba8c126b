"""Exercises of the lesson on the same numbers twice."""

import numpy as np

from lessons_lib.exercises import Exercise, on

LOG = np.array([4.25, 4.0, 3.5, 3.25, 3.125, 3.0, 2.75, 2.5])


def changed(at, by):
    other = LOG.copy()
    other[at] += by
    return other


LATE, EARLY = changed(slice(5, None), 2**-22), changed([2, 6], [-1e-5, 0.5])
HOLES = changed(3, np.nan)

EXERCISES = [
    Exercise(
        "until_apart",
        "solve |1 - eta h|^t delta = 1 for t, and round up.",
        {
            "The factor of a step is 1 - eta h, and a difference that changes its sign grows as well: take its size.": (
                "abs(1 - eta * h) -> (1 + eta * abs(h))"
            ),
            "The factor is 1 - eta h: on a crest h is negative, and the factor is above 1.": (
                "1 - eta * h -> 1 + eta * h"
            ),
            "A difference of eta h per step would add up. Here it multiplies: take the logarithm of the factor.": (
                "np.log(abs(1 - eta * h)) -> (abs(1 - eta * h) - 1)"
            ),
            "Round up: before that step the difference is still below 1.": "np.ceil -> np.floor",
            "A whole number of steps is wanted.": "np.ceil(np.log(1 / delta) / np.log(abs(1 - eta * h))) -> "
            "np.log(1 / delta) / np.log(abs(1 - eta * h))",
            "That is upside down: the logarithm of the factor divides.": (
                "np.log(1 / delta) / np.log(abs(1 - eta * h)) -> np.log(abs(1 - eta * h)) / np.log(1 / delta)"
            ),
        },
        on((1e-7, 0.1, -0.5), (1e-7, 1.0, -0.05), (2e-16, 1.0, -0.05), (1e-7, 0.3, 8.0), (0.01, 0.5, 5.5)),
    ),
    Exercise(
        "rows_of",
        "find the pass and the place in the pass, then cut the order of that pass.",
        {
            "Each pass has an order of its own: the generator takes the seed and the number of the pass.": (
                "[seed, k] -> [seed, 0]"
            ),
            "A new order in each step reads some examples twice in a pass and others never. The pass counts.": (
                "[seed, k] -> [seed, step]"
            ),
            "The seed must count as well.": "[seed, k] -> [0, k]",
            "The place is that of a batch; the cut begins rows times further on.": (
                "place * rows : (place + 1) * rows -> place : place + rows"
            ),
            "A pass has n // rows batches, not n.": "divmod(step, n // rows) -> divmod(step, n)",
            "A rest that fills no batch is left out.": "n // rows -> -(-n // rows)",
            "Pass and place are exchanged.": "k, place -> place, k",
            "That is the batch after the one that is wanted: steps count from 0.": "divmod(step, -> divmod(step + 1,",
        },
        on((12, 4, 0, 0), (12, 4, 0, 2), (12, 4, 0, 3), (12, 4, 5, 4), (11, 3, 1, 2), (11, 3, 1, 3), (11, 3, 1, 7)),
    ),
    Exercise(
        "parted",
        "compare step by step, exactly, and look for the first False.",
        {
            "Exactly equal: a difference in the last bit counts.": "a == b -> np.isclose(a, b)",
            "NaN == NaN is False. Two NaN count as equal here.": "(a == b) | (np.isnan(a) & np.isnan(b)) -> a == b",
            "One NaN is a difference; only two of them count as equal.": "np.isnan(a) & -> np.isnan(a) |",
            "Where all are equal, argmin says 0. The length is wanted then.": (
                "len(a) if same.all() else int(np.argmin(same)) -> int(np.argmin(same))"
            ),
            "That is the first step in which they are equal.": "np.argmin(same) -> np.argmax(same)",
            "That is the last step in which they differ; the first is wanted.": (
                "int(np.argmin(same)) -> int(np.flatnonzero(~same)[-1])"
            ),
            "That is how many steps differ.": "int(np.argmin(same)) -> int((~same).sum())",
        },
        on(
            (LOG, LOG),
            (LOG, LATE),
            (LOG, EARLY),
            (LATE, EARLY),
            (HOLES, HOLES),
            (HOLES, LOG),
            (LOG, HOLES),
            (LOG[:2], LOG[:2] + 1),
        ),
    ),
]
