"""Exercises of the lesson on advantages and drawbacks."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def rates(*medians, spread=0.05):  # five seeds for each rate, with this standard deviation
    return np.array(medians)[:, None] + spread * np.array([1, -2, 0, 2, -1]) / 2**0.5


def races():
    noise = np.random.default_rng(0).normal(0, 0.01, (2, 3, 5))
    clear = {"a": noise[0] + [[0.9], [0.5], [0.7]], "b": noise[1] + [[0.6], [0.65], [3.0]]}
    close = {"a": 5 * noise[0] + [[0.9], [0.5], [0.7]], "b": noise[1] + [[0.52], [0.53], [0.51]]}
    lucky = np.array([[0.1, 0.9, 0.9, 0.9, 0.9], [0.5, 0.5, 0.5, 0.5, 0.6], [0.8, 0.8, 0.8, 0.8, 0.8]])
    unlucky = np.array([[0.3, 0.3, 0.3, 0.3, 9.0], [0.6, 0.6, 0.6, 0.6, 0.6], [0.7, 0.7, 0.7, 0.7, 0.7]])
    paired = np.array([[0.5, 0.4, 0.6, 0.5, 0.5]]), np.array([[0.6, 0.55, 0.55, 0.8, 0.5]])  # medians 0.05 apart
    winner, steady = rates(0.9, 0.5, 0.7), rates(0.52, 0.5, 0.51)
    return [
        clear,
        close,
        {"a": lucky, "b": lucky + 0.2},
        {"a": unlucky, "b": lucky},
        {"b": rates(0.8, 0.53, 0.9), "a": winner},  # the lead is below one deviation, above its standard error
        {"b": rates(0.8, 0.546, 0.9), "a": winner},  # ... and above the mean distance from the mean
        {"c": rates(0.9, 0.8, 0.9), "b": rates(0.8, 0.51, 0.9), "a": winner},  # the third is far behind
        {"a": winner, "b": rates(0.51, 0.9)},  # the best rates stand in different rows
        {"b": rates(0.7, 0.553, 0.7, spread=0.2), "a": steady},  # between the deviation with ddof=0 and with ddof=1
        {"a": steady, "b": rates(0.7, 0.57, 0.7, spread=0.01)},
        {"a": winner, "b": rates(0.9, 0.62, 0.9)},  # between two deviations and the range
        {"a": np.vstack([rates(0.5, 0.53), rates(0.9, spread=0.9)]), "b": rates(0.8, 0.7)},  # one restless rate
        {name: rates(low) for name, low in zip("abced", (0.9, 0.8, 0.95, 0.53, 0.5), strict=True)},  # five names
        # an even number of seeds, and a lead of exactly one deviation
        {"a": np.array([[0.0, 0.0, 1.0, 1.0], [0.9] * 4]), "b": np.ones((1, 4))},
        {"a": np.array([[0.5, 0.5, 0.5, 0.5, 0.9]]), "b": np.full((1, 5), 0.7)},  # one seed moves the winner's mean
        {"a": paired[0], "b": paired[1]},  # a lead below the deviation; the median of the differences is above
    ]


def told(answer):
    results = []
    for race in races():
        first, clear = answer(race)
        results += [float([*race].index(first)) if first in [*race] else -1.0]
        results += [-1.0 if clear is None or isinstance(clear, str) else float(clear)]
    return results


FALLS_AGAIN = [5.0, 3.0, 4.0, 3.5, 3.2, 3.1, 3.3, 1.0]

EXERCISES = [
    Exercise(
        "training_bytes",
        "list what is stored for one parameter that is trained, and for one that is not.",
        {
            "A frozen parameter still needs its weight: 2 bytes.": "2 * n + -> trained * 2 * n +",
            "trained is not used: frozen parameters have no gradient, copy or state.": "trained * ->",
            "The copy of the weights in 4 bytes is missing.": "2 + 4 + 4 * kept -> 2 + 4 * kept",
            "The weights have 2 bytes, not 4; only their copy has 4.": "2 * n -> 4 * n",
            "Two bytes too many where it is trained: a gradient of 4, or the weight twice?": "2 + 4 + -> 4 + 4 +",
            "Two bytes are missing: the gradient's, or the weight's own beside its copy.": "2 + 4 + -> 4 +",
            "The state has 4 bytes for each number, not 2.": "4 * kept -> 2 * kept",
            "A frozen parameter needs no copy in 4 bytes: it is never updated.": "2 * n -> 6 * n; 2 + 4 + -> 2 +",
            "kept is not used: not every optimizer keeps two numbers.": "kept -> 2",
            "Bytes are asked for, not gigabytes.": "return 2 * n + trained * -> return 2e-9 * n + 1e-9 * trained *",
        },
        on((7e9, 2), (1e6, 0), (7e9, 2, 0.01), (3e8, 1, 0.5), (2e9, 3)),
    ),
    Exercise(
        "early_stop",
        "how many looks ago was the best one? And what counts as better?",
        {
            "Compare with the best so far, not with the look before.": "losses[best] -> losses[t - 1]",
            "An equal loss is no improvement.": "losses[t] < -> losses[t] <=",
            "It stops one look too late.": ">= patience -> > patience",
            "It stops one look too early.": ">= patience -> >= patience - 1",
            "At the end, too, the weights of the best look are kept.": (
                "len(losses) - 1, best -> len(losses) - 1, len(losses) - 1"
            ),
            "Looks are counted from 0: the last one has the number len(losses) - 1.": (
                "return len(losses) - 1 -> return len(losses)"
            ),
            "Return the number of the best look, not its loss.": (
                "t, best -> t, losses[best]; - 1, best -> - 1, losses[best]"
            ),
            "Looks are counted from 0.": (
                "return t, best -> return t + 1, best + 1; len(losses) - 1, best -> len(losses), best + 1"
            ),
            "The weights of the best look are kept, not those of the last.": (
                "t, best -> t, t; - 1, best -> - 1, len(losses) - 1"
            ),
            "The best of all looks is not known when training stops.": "t, best -> t, int(np.argmin(losses))",
        },
        on(
            (FALLS_AGAIN, 3),
            (FALLS_AGAIN, 7),
            ([5.0, 6.0, 4.0, 4.5, 3.0, 3.5, 2.0, 2.5], 2),
            ([2.0, 2.0, 2.0, 2.0], 2),
            ([9.0, 8.0, 7.0], 1),
            ([9.0], 2),
            ([2.0, 1.0, 3.0, 0.5], 2),
            ([5.0, 4.0, 4.5, 4.6, 3.0], 2),
            ([1.0, 0.999, 0.9989999, 0.9989998, 5.0, 5.0], 2),  # the least fall is one
        ),
        returns=2,
    ),
    Exercise(
        "fair",
        "first reduce each name to one rate. By what, and over which axis?",
        {
            "The best rate by the lowest single seed is a lucky one; take the median.": "np.median -> np.min",
            "The median over seeds, not the mean: one bad seed should not decide.": "np.median -> np.mean",
            "Every rate together is not the best rate: a wider grid would be punished.": (
                "min(losses, key=np.median) -> losses"
            ),
            "That takes the worst rate of each.": "min -> max",
            "One rate for all seeds: the best rate of each seed by itself is lucky.": (
                "min(losses, key=np.median) -> losses.min(0)"
            ),
            "Any lead is called one; compare it with the spread of the seeds.": "> np.std(best[first]) -> > 0",
            "The lead is that over the runner-up, not over the last name.": "[:2] -> [:: len(best) - 1]",
            "Compare with the spread of the winner's seeds, not of the runner-up's.": (
                "np.std(best[first]) -> np.std(best[second])"
            ),
            "Compare with the spread at the winner's best rate, not at all its rates.": (
                "np.std(best[first]) -> np.std(results[first])"
            ),
            "That is the variance; the standard deviation is its root.": "np.std -> np.var",
        },
        told,
        returns=2,
    ),
]
