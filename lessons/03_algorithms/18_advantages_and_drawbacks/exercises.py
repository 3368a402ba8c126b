"""Exercises of the lesson on advantages and drawbacks, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _bytes(n, kept, trained=1.0):
    return 2 * n + trained * n * (6 + 4 * kept)


memory = Exercise(
    "training_bytes",
    "list what is stored for one parameter that is trained, and for one that is not.",
    {
        "A frozen parameter still needs its weight: 2 bytes.": lambda n, k, t=1.0: t * n * (8 + 4 * k),
        "trained is not used: frozen parameters have no gradient, copy or state.": lambda n, k, t=1.0: n * (8 + 4 * k),
        "The copy of the weights in 4 bytes is missing.": lambda n, k, t=1.0: _bytes(n, k, t) - 4 * n * t,
        "The weights have 2 bytes, not 4; only their copy has 4.": lambda n, k, t=1.0: _bytes(n, k, t) + 2 * n,
        "Two bytes too many where it is trained: a gradient of 4, or the weight twice?": lambda n, k, t=1.0: (
            _bytes(n, k, t) + 2 * n * t
        ),
        "Two bytes are missing: the gradient's, or the weight's own beside its copy.": lambda n, k, t=1.0: (
            _bytes(n, k, t) - 2 * n * t
        ),
        "The state has 4 bytes for each number, not 2.": lambda n, k, t=1.0: 2 * n + t * n * (6 + 2 * k),
        "Each number of the state has 4 bytes.": lambda n, k, t=1.0: 2 * n + t * n * (6 + k),
        "The state is missing.": lambda n, k, t=1.0: _bytes(n, 0, t),
        "A frozen parameter needs no copy in 4 bytes: it is never updated.": lambda n, k, t=1.0: (
            6 * n + t * n * (2 + 4 * k)
        ),
        "A frozen parameter needs only its weight, in 2 bytes: no gradient, no 4 bytes.": lambda n, k, t=1.0: (
            4 * n + t * n * (4 + 4 * k)
        ),
        "A frozen parameter needs no state.": lambda n, k, t=1.0: 2 * n + t * n * 6 + 4 * k * n,
        "kept is not used: not every optimizer keeps two numbers.": lambda n, k, t=1.0: _bytes(n, 2, t),
        "Bytes are asked for, not gigabytes.": lambda n, k, t=1.0: _bytes(n, k, t) / 1e9,
    },
    lambda answer: [answer(7e9, 2), answer(1e6, 0), answer(7e9, 2, 0.01), answer(3e8, 1, 0.5), answer(2e9, 3)],
)


def _stop(losses, patience, strict=True):
    best = 0
    for t in range(1, len(losses)):
        if losses[t] < losses[best] or (not strict and losses[t] == losses[best]):
            best = t
        elif t - best >= patience:
            return t, best
    return len(losses) - 1, best


def _against_last(losses, patience):
    bad = 0
    for t in range(1, len(losses)):
        bad = 0 if losses[t] < losses[t - 1] else bad + 1
        if bad >= patience:
            return t, int(np.argmin(losses[: t + 1]))
    return len(losses) - 1, int(np.argmin(losses))


def _all_bad(losses, patience):
    best = bad = 0
    for t in range(1, len(losses)):
        best, bad = (t, bad) if losses[t] < losses[best] else (best, bad + 1)
        if bad >= patience:
            return t, best
    return len(losses) - 1, best


def _against_older(losses, patience):
    for t in range(patience, len(losses)):
        if losses[t] >= losses[t - patience]:
            return t, int(np.argmin(losses[: t + 1]))
    return len(losses) - 1, int(np.argmin(losses))


def _end_keeps_last(losses, patience):
    t, best = _stop(losses, patience)
    return t, best if t - best >= patience else t


def _end_is_length(losses, patience):
    t, best = _stop(losses, patience)
    return t if t - best >= patience else len(losses), best


def _first_is_bad(losses, patience):
    best = bad = 0
    for t in range(len(losses)):
        best, bad = (t, 0) if losses[t] < losses[best] else (best, bad + 1)
        if bad >= patience:
            return t, best
    return len(losses) - 1, best


def _equal_passes(losses, patience):
    best = bad = 0
    for t in range(1, len(losses)):
        if losses[t] < losses[best]:
            best, bad = t, 0
        elif losses[t] > losses[best]:
            bad += 1
        if bad >= patience:
            return t, best
    return len(losses) - 1, best


_FALLS_AGAIN = [5.0, 3.0, 4.0, 3.5, 3.2, 3.1, 3.3, 1.0]

stop = Exercise(
    "early_stop",
    "how many looks ago was the best one? And what counts as better?",
    {
        "Compare with the best so far, not with the look before.": _against_last,
        "An equal loss is no improvement.": lambda losses, patience: _stop(losses, patience, strict=False),
        "Looks in a row: start counting again after an improvement.": _all_bad,
        "It stops one look too late.": lambda losses, patience: _stop(losses, patience + 1),
        "It stops one look too early.": lambda losses, patience: _stop(losses, patience - 1),
        "Compare with the best so far, not with the look `patience` ago.": _against_older,
        "At the end, too, the weights of the best look are kept.": _end_keeps_last,
        "Looks are counted from 0: the last one has the number len(losses) - 1.": _end_is_length,
        "Return the number of the best look, not its loss.": lambda losses, patience: (
            _stop(losses, patience)[0],
            losses[_stop(losses, patience)[1]],
        ),
        "Looks are counted from 0.": lambda losses, patience: tuple(look + 1 for look in _stop(losses, patience)),
        "The look at which it stops is counted from 0, too.": lambda losses, patience: (
            _stop(losses, patience)[0] + 1,
            _stop(losses, patience)[1],
        ),
        "A look with an equal loss counts as one without improvement.": _equal_passes,
        "The first look is no look without improvement: there was nothing to fall below.": _first_is_bad,
        "Later losses are not known yet: take the looks one by one.": lambda losses, patience: (
            min(int(np.argmin(losses)) + patience, len(losses) - 1),
            int(np.argmin(losses)),
        ),
        "The weights of the best look are kept, not those of the last.": lambda losses, patience: (
            _stop(losses, patience)[0],
            _stop(losses, patience)[0],
        ),
        "The best of all looks is not known when training stops.": lambda losses, patience: (
            _stop(losses, patience)[0],
            int(np.argmin(losses)),
        ),
        "First the look at which training stops, then the one that is kept.": lambda losses, patience: _stop(
            losses, patience
        )[::-1],
    },
    on(
        (_FALLS_AGAIN, 3),
        (_FALLS_AGAIN, 7),
        ([5.0, 6.0, 4.0, 4.5, 3.0, 3.5, 2.0, 2.5], 2),
        ([2.0, 2.0, 2.0, 2.0], 2),
        ([9.0, 8.0, 7.0], 1),
        ([9.0], 2),
        ([2.0, 1.0, 3.0, 0.5], 2),
        ([5.0, 4.0, 4.5, 4.6, 3.0], 2),
        ([1.0, 0.999, 0.9989999, 0.9989998, 5.0, 5.0], 2),  # the least fall is one
    ),
    returns=2,
)


def _fair(results, middle=np.median, spread=np.std, choose=min, at=1):
    best = {name: choose(losses, key=middle) for name, losses in results.items()}
    order = sorted(best, key=lambda name: middle(best[name]))
    first, other = order[0], order[at]
    return first, bool(middle(best[other]) - middle(best[first]) > spread(best[first]))


def _rates(*medians, spread=0.05):  # five seeds for each rate, with this standard deviation
    return np.array(medians)[:, None] + spread * np.array([1, -2, 0, 2, -1]) / 2**0.5


def _races():
    noise = np.random.default_rng(0).normal(0, 0.01, (2, 3, 5))
    clear = {"a": noise[0] + [[0.9], [0.5], [0.7]], "b": noise[1] + [[0.6], [0.65], [3.0]]}
    close = {"a": 5 * noise[0] + [[0.9], [0.5], [0.7]], "b": noise[1] + [[0.52], [0.53], [0.51]]}
    lucky = np.array([[0.1, 0.9, 0.9, 0.9, 0.9], [0.5, 0.5, 0.5, 0.5, 0.6], [0.8, 0.8, 0.8, 0.8, 0.8]])
    unlucky = np.array([[0.3, 0.3, 0.3, 0.3, 9.0], [0.6, 0.6, 0.6, 0.6, 0.6], [0.7, 0.7, 0.7, 0.7, 0.7]])
    paired = np.array([[0.5, 0.4, 0.6, 0.5, 0.5]]), np.array([[0.6, 0.55, 0.55, 0.8, 0.5]])  # medians 0.05 apart
    winner, steady = _rates(0.9, 0.5, 0.7), _rates(0.52, 0.5, 0.51)
    return [
        clear,
        close,
        {"a": lucky, "b": lucky + 0.2},
        {"a": unlucky, "b": lucky},
        {"b": _rates(0.8, 0.53, 0.9), "a": winner},  # the lead is below one deviation, above its standard error
        {"b": _rates(0.8, 0.546, 0.9), "a": winner},  # ... and above the mean distance from the mean
        {"c": _rates(0.9, 0.8, 0.9), "b": _rates(0.8, 0.51, 0.9), "a": winner},  # the third is far behind
        {"a": winner, "b": _rates(0.51, 0.9)},  # the best rates stand in different rows
        {"b": _rates(0.7, 0.553, 0.7, spread=0.2), "a": steady},  # between the deviation with ddof=0 and with ddof=1
        {"a": steady, "b": _rates(0.7, 0.57, 0.7, spread=0.01)},
        {"a": winner, "b": _rates(0.9, 0.62, 0.9)},  # between two deviations and the range
        {"a": np.vstack([_rates(0.5, 0.53), _rates(0.9, spread=0.9)]), "b": _rates(0.8, 0.7)},  # one restless rate
        {name: _rates(low) for name, low in zip("abced", (0.9, 0.8, 0.95, 0.53, 0.5), strict=True)},  # five names
        # an even number of seeds, and a lead of exactly one deviation
        {"a": np.array([[0.0, 0.0, 1.0, 1.0], [0.9] * 4]), "b": np.ones((1, 4))},
        {"a": np.array([[0.5, 0.5, 0.5, 0.5, 0.9]]), "b": np.full((1, 5), 0.7)},  # one seed moves the winner's mean
        {"a": paired[0], "b": paired[1]},  # a lead below the deviation; the median of the differences is above
    ]


def _told(answer):
    results = []
    for race in _races():
        first, clear = answer(race)
        results += [float([*race].index(first)) if first in [*race] else -1.0]
        results += [-1.0 if clear is None or isinstance(clear, str) else float(clear)]
    return results


def _pooled(results):
    first, second = sorted(results, key=lambda name: np.median(results[name]))[:2]
    lead = np.median(results[second]) - np.median(results[first])
    return first, bool(lead > np.std(results[first]))


def _lead(first, other):
    return np.median(other) - np.median(first)


def _clear(results, measure=lambda first, second, rates: np.std(first), lead=_lead, pick=np.median):
    """The rate by pick, the name by the median; the lead of the winner's row against its measure, both as told."""
    best = {name: min(losses, key=pick) for name, losses in results.items()}
    first, second = sorted(best, key=lambda name: np.median(best[name]))[:2]
    return first, bool(lead(best[first], best[second]) > measure(best[first], best[second], results[first]))


def _over_rates(results):
    middle = {name: np.median(losses, axis=0) for name, losses in results.items()}
    first, second = sorted(middle, key=lambda name: middle[name].min())[:2]
    column = results[first][:, middle[first].argmin()]
    return first, bool(middle[second].min() - middle[first].min() > np.std(column))


def _best_of_each_seed(results):
    best = {name: np.min(losses, axis=0) for name, losses in results.items()}
    first, second = sorted(best, key=lambda name: np.median(best[name]))[:2]
    return first, bool(np.median(best[second]) - np.median(best[first]) > np.std(best[first]))


def _next_rate(results):  # the second best of all rates, whoever it belongs to
    every = sorted((np.median(row), np.std(row), name) for name, losses in results.items() for row in losses)
    return every[0][2], bool(every[1][0] - every[0][0] > every[0][1])


def _one_row(results):
    first = _fair(results)[0]
    row = np.median(results[first], axis=1).argmin()
    others = [np.median(losses[min(row, len(losses) - 1)]) for name, losses in results.items() if name != first]
    return first, bool(min(others) - np.median(results[first][row]) > np.std(results[first][row]))


fair = Exercise(
    "fair",
    "first reduce each name to one rate. By what, and over which axis?",
    {
        "The best rate by the lowest single seed is a lucky one; take the median.": lambda results: _fair(
            results, middle=np.min
        ),
        "The median over seeds, not the mean: one bad seed should not decide.": lambda results: _fair(
            results, middle=np.mean
        ),
        "The best rate, too, is chosen by the median over seeds, not by the mean.": lambda results: _clear(
            results, pick=np.mean
        ),
        "The best rate, too, is chosen by the median over seeds, not by the lowest seed.": lambda results: _clear(
            results, pick=np.min
        ),
        "Every rate together is not the best rate: a wider grid would be punished.": _pooled,
        "That takes the worst rate of each.": lambda results: _fair(results, choose=max),
        "First the name, then whether its lead is larger than the spread.": lambda results: _fair(results)[::-1],
        "One rate for all seeds: the best rate of each seed by itself is lucky.": _best_of_each_seed,
        "Only the winner's seeds give the spread, not both.": lambda results: _clear(
            results, lambda first, second, rates: np.hypot(np.std(first), np.std(second))
        ),
        "The lead is the difference of the two medians, not the median of the differences.": lambda results: _clear(
            results, lead=lambda first, second: np.median(second - first)
        ),
        "The lead is the difference of the two medians, not of the two means.": lambda results: _clear(
            results, lead=lambda first, second: np.mean(second) - np.mean(first)
        ),
        "Any lead is called one; compare it with the spread of the seeds.": lambda results: (
            _fair(results)[0],
            True,
        ),
        "No lead is ever called one.": lambda results: (_fair(results)[0], False),
        "Lower losses are better.": lambda results: (
            max(results, key=lambda name: np.median(min(results[name], key=np.median))),
            _fair(results)[1],
        ),
        "The lead is that over the runner-up, not over the last name.": lambda results: _fair(results, at=-1),
        "Compare with the spread of the winner's seeds, not of the runner-up's.": lambda results: _clear(
            results, lambda first, second, rates: np.std(second)
        ),
        "Compare with the spread at the winner's best rate, not at all its rates.": lambda results: _clear(
            results, lambda first, second, rates: np.std(rates)
        ),
        "Compare with the spread at the winner's best rate, not with the mean over its rates.": lambda results: _clear(
            results, lambda first, second, rates: np.std(rates, axis=1).mean()
        ),
        "The median over seeds: each row is a rate, so that is axis 1.": _over_rates,
        "The runner-up is the next name, not the winner's next rate.": _next_rate,
        "That is the range of the seeds, not their standard deviation.": lambda results: _fair(results, spread=np.ptp),
        "That is the variance; the standard deviation is its root.": lambda results: _fair(results, spread=np.var),
        "That is the standard error; do not divide by the root of the number of seeds.": lambda results: _fair(
            results, spread=lambda row: np.std(row) / len(row) ** 0.5
        ),
        "np.std divides by the number of seeds, not by one less.": lambda results: _fair(
            results, spread=lambda row: np.std(row, ddof=1)
        ),
        "That is the mean distance from the mean, not the standard deviation.": lambda results: _fair(
            results, spread=lambda row: np.abs(row - np.mean(row)).mean()
        ),
        "One standard deviation is asked for, not two.": lambda results: _fair(
            results, spread=lambda row: 2 * np.std(row)
        ),
        "The runner-up stands at its own best rate, not at the winner's.": _one_row,
    },
    _told,
    returns=2,
)

EXERCISES = [memory, stop, fair]
