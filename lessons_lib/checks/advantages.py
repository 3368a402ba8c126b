"""Exercises of the lesson on advantages and drawbacks, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise, on

LESSON = "03_algorithms/18_advantages_and_drawbacks"


def _bytes(n, kept, trained=1.0):
    return 2 * n + trained * n * (6 + 4 * kept)


memory = Exercise(
    "training_bytes",
    LESSON,
    "list what is stored for one parameter that is trained, and for one that is not.",
    _bytes,
    {
        "A frozen parameter still needs its weight: 2 bytes.": lambda n, k, t=1.0: t * n * (8 + 4 * k),
        "trained is not used: frozen parameters have no gradient, copy or state.": lambda n, k, t=1.0: n * (8 + 4 * k),
        "The copy of the weights in 4 bytes is missing.": lambda n, k, t=1.0: _bytes(n, k, t) - 4 * n * t,
        "The gradients are missing.": lambda n, k, t=1.0: _bytes(n, k, t) - 2 * n * t,
        "The state has 4 bytes for each number, not 2.": lambda n, k, t=1.0: 2 * n + t * n * (6 + 2 * k),
        "The state is missing.": lambda n, k, t=1.0: _bytes(n, 0, t),
        "Bytes are asked for, not gigabytes.": lambda n, k, t=1.0: _bytes(n, k, t) / 1e9,
    },
    lambda answer: [answer(7e9, 2), answer(1e6, 0), answer(7e9, 2, 0.01), answer(3e8, 1, 0.5)],
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


_FALLS_AGAIN = [5.0, 3.0, 4.0, 3.5, 3.2, 3.1, 3.3, 1.0]

stop = Exercise(
    "early_stop",
    LESSON,
    "how many looks ago was the best one? And what counts as better?",
    _stop,
    {
        "Compare with the best so far, not with the look before.": _against_last,
        "An equal loss is no improvement.": lambda losses, patience: _stop(losses, patience, strict=False),
        "Looks in a row: start counting again after an improvement.": _all_bad,
        "It stops one look too late.": lambda losses, patience: _stop(losses, patience + 1),
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
    ),
    returns=2,
)


def _fair(results, middle=np.median, spread=np.std, choose=min):
    best = {name: choose(losses, key=middle) for name, losses in results.items()}
    first, second = sorted(best, key=lambda name: middle(best[name]))[:2]
    return first, bool(middle(best[second]) - middle(best[first]) > spread(best[first]))


def _races():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, (2, 3, 5))
    clear = {"a": noise[0] + [[0.9], [0.5], [0.7]], "b": noise[1] + [[0.6], [0.65], [3.0]]}
    close = {"a": 5 * noise[0] + [[0.9], [0.5], [0.7]], "b": noise[1] + [[0.52], [0.53], [0.51]]}
    lucky = np.array([[0.1, 0.9, 0.9, 0.9, 0.9], [0.5, 0.5, 0.5, 0.5, 0.6], [0.8, 0.8, 0.8, 0.8, 0.8]])
    unlucky = np.array([[0.3, 0.3, 0.3, 0.3, 9.0], [0.6, 0.6, 0.6, 0.6, 0.6], [0.7, 0.7, 0.7, 0.7, 0.7]])
    return [clear, close, {"a": lucky, "b": lucky + 0.2}, {"a": unlucky, "b": lucky}]


def _told(answer):
    results = []
    for race in _races():
        first, clear = answer({name: losses.copy() for name, losses in race.items()})
        results += [float(first == "a") if first in ("a", "b") else -1.0, float(clear)]
    return results


def _pooled(results):
    first, second = sorted(results, key=lambda name: np.median(results[name]))[:2]
    lead = np.median(results[second]) - np.median(results[first])
    return first, bool(lead > np.std(results[first]))


fair = Exercise(
    "fair",
    LESSON,
    "first reduce each name to one rate. By what, and over which axis?",
    _fair,
    {
        "The best rate by the lowest single seed is a lucky one; take the median.": lambda results: _fair(
            results, middle=np.min
        ),
        "The median over seeds, not the mean: one bad seed should not decide.": lambda results: _fair(
            results, middle=np.mean
        ),
        "Every rate together is not the best rate: a wider grid would be punished.": _pooled,
        "That takes the worst rate of each.": lambda results: _fair(results, choose=max),
        "Any lead is called one; compare it with the spread of the seeds.": lambda results: (
            _fair(results)[0],
            True,
        ),
        "No lead is ever called one.": lambda results: (_fair(results)[0], False),
        "Lower losses are better.": lambda results: (
            next(name for name in results if name != _fair(results)[0]),
            _fair(results)[1],
        ),
    },
    _told,
    returns=2,
)

EXERCISES = [memory, stop, fair]
