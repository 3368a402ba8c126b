"""Exercises of the lesson on what to read."""

import numpy as np  # noqa: F401, for the solution

from lessons_lib.exercises import Exercise, on

CITED = [(1, 1951), (2, 2015), (1, 1951), (3, 2018), (4, 1964), (2, 2015), (1, 1951), (5, 2024)]
TWINS = [(1, 1990), (2, 1990), (3, 2020), (4, 2021)]
NEEDS = {3: [], 1: [4], 2: [1, 3], 5: [], 4: [3, 5], 0: [2]}

EXERCISES = [
    Exercise(
        "half_life",
        "an age is the year now minus the year of the work.",
        {
            "A work that is named several times counts once.": (
                "list(dict(cited).values()) -> [year for _, year in cited]"
            ),
            "Half of the works are younger: that is the median, not the mean.": "np.median -> np.mean",
            "That is a year. The half-life is an age, counted back from now.": (
                "now - np.median(years) -> np.median(years)"
            ),
            "The sign is wrong: an age is now minus the year.": "now - np.median(years) -> np.median(years) - now",
            "Those are the numbers of the works, not their years.": "dict(cited).values() -> dict(cited).keys()",
            "Half of the age of the median work was not asked for.": (
                "now - np.median(years) -> (now - np.median(years)) / 2"
            ),
            "Two works of the same year are still two works.": "dict(cited).values() -> set(dict(cited).values())",
        },
        on((CITED, 2026), (CITED[1:5], 2030), ([(7, 2000)], 2026), (TWINS, 2022)),
    ),
    Exercise(
        "reading_order",
        "ask in each round which texts could come next.",
        {
            "Some text comes before one that it needs.": "and set(needs[x]) <= set(order) ->",
            "Of the texts that could come next, the smallest comes first.": "min(ready) -> max(ready)",
            "Of those that could come next you take the first in the dictionary, not the smallest.": (
                "min(ready) -> ready[0]"
            ),
            "All that a text needs must be there, not only one of them.": (
                "set(needs[x]) <= set(order) -> (not needs[x] or set(needs[x]) & set(order))"
            ),
            "The order stands on its head: what is needed comes first.": "return order -> return order[::-1]",
            "A text is in the list twice.": "x not in order and ->",
            "Ask again after each single text: the one that you took can make a smaller one possible.": lambda needs: (
                _in_rounds(needs)
            ),
        },
        on(
            (NEEDS,),
            ({0: [1], 1: [2], 2: []},),
            ({4: [], 2: [], 3: [2]},),
            ({1: [], 2: [1], 3: [1], 4: [2, 3], 5: [4, 1]},),
            ({2: [], 9: [], 5: [2]},),
        ),
    ),
    Exercise(
        "supported",
        "open the abstracts; the third is about two kinds of new data.",
        {
            "The first abstract says: better training performance, and yet worse on new data.": [1, 1, 2],
            "The second abstract calls the values that were tried perhaps the most important cause of rankings.": [
                2,
                2,
                2,
            ],
            "The third abstract: 2 per cent more on data like the training data, 7 per cent less on shifted data.": [
                2,
                1,
                1,
            ],
            "The third one is right. In the first and the second abstract, compare claim and sentence again.": [
                1,
                2,
                2,
            ],
            "The second one is right. In the first and the third abstract, compare claim and sentence again.": [
                1,
                1,
                1,
            ],
            "The first one is right. In the second and the third abstract, compare claim and sentence again.": [
                2,
                2,
                1,
            ],
            "Each time it is the other claim.": [1, 2, 1],
        },
    ),
]


def _in_rounds(needs):
    """All that is ready at once, sorted, round by round."""
    order = []
    for _ in needs:
        order += sorted(x for x in needs if x not in order and set(needs[x]) <= set(order))
    return order
