"""Exercises of the lesson on rare tokens."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def pushes(answer):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), size=7)
    y = np.array([2, 0, 1, 2, 2, 0, 3])
    x = rng.normal(size=(7, 3))
    return [*(answer(p, y, x, k) for k in range(4)), answer(p[:2], y[:2], x[:2], 0)]


F = np.array([0.07, 0.3, 0.02, 0.19, 0.11, 0.24, 0.04, 0.03])

EXERCISES = [
    Exercise(
        "push",
        "prediction minus label, times the feature, as a mean over all positions.",
        {
            "The sign is wrong: prediction minus label.": "(p[:, k] - (y == k)) -> ((y == k) - p[:, k])",
            "A mean over all positions: divide by their number.": "/ len(y) ->",
            "The mean is over all positions, not over those at which the word came.": "len(y) -> (y == k).sum()",
            "Where other words come the model still expects this one: keep p at every position.": (
                "(p[:, k] - (y == k)) -> ((p[:, k] - 1) * (y == k))"
            ),
            "Only the label is left. Subtract it from the prediction.": "p[:, k] - (y == k) -> -1.0 * (y == k)",
            "Divide by the number of positions, not by that of the words.": "len(y) -> p.shape[1]",
            "The label is 1 only where word k came.": "(y == k) -> 1",
        },
        pushes,
    ),
    Exercise(
        "shares",
        "lay the words out, the most frequent first, and look where each word's middle lies.",
        {
            "The most frequent word comes first.": "np.argsort(-f) -> np.argsort(f)",
            "That is where each word ends. Its middle decides.": "- f[order] / 2 ->",
            "That is where each word begins. Its middle decides.": "f[order] / 2 -> f[order]",
            "The numbers are right, but stand in the order of the frequencies. Put each back to its word.": (
                "found[order] -> found[:]"
            ),
            "Each group has as many words as the next; it must have as much of the text.": (
                "groups * middle / f.sum() -> groups * np.arange(len(f)) / len(f)"
            ),
            "The frequencies need not sum to 1: divide by their sum.": "/ f.sum() ->",
        },
        on((F, 4), (F, 3), (F[:5] * 100, 2), (F[2:] * 7, 5)),
    ),
    Exercise(
        "read",
        "after t steps the words 1 to t are learned.",
        {
            "That is the share of the vocabulary; each word counts with its frequency.": lambda steps, words: (
                min(steps, words) / words
            ),
            "The sum runs over all words, learned or not.": "[:steps] -> [:]",
            "Divide by the sum of all frequencies.": "/ frequency.sum() -> / words",
            "The first word has the number 1, and the last one counts as well.": "words + 1 -> words",
            "Those are the words that are not learned yet.": "[:steps] -> [steps:]",
            "After t steps word t is learned, too.": "[:steps] -> [:steps - 1]",
            "A sum of frequencies, not the frequency of one word.": (
                "frequency[:steps].sum() -> frequency[min(steps, words) - 1]"
            ),
        },
        on((1, 10), (3, 10), (10, 10), (40, 10), (224, 50_000), (1, 1)),
    ),
]
