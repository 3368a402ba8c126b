"""Exercises of the lesson on clipping and accumulation."""

import numpy as np

from lessons_lib.exercises import Exercise, on

T, G = np.array([3.0, 4.0]), np.array([60.0, -80.0])
MEAN = "g + (g_new - g) * n_new / (n + n_new)"


def streams(answer):
    results = []
    for batches in (
        [(1.0, 7), (4.0, 2), (-3.0, 1)],
        [(2.0, 1), (8.0, 3), (np.nan, 0), (5.0, 4)],
        [(2.0, 1), (np.nan, 3)],
        [(np.nan, 0), (6.0, 2), (3.0, 1)],
    ):
        g, n = np.zeros(2), 0
        for value, count in batches:
            g, n = answer(np.copy(g), n, np.array([value, -10 * value]), count)
            results += [g, n]
    return results


def half_precision(answer):
    """float16 gradients; the squares of the long ones overflow in float16, and the faint ones vanish when unscaled."""
    long, short = [np.array([300.0, -400.0]), np.array([[1200.0]])], [np.array([0.3, 0.0]), np.array([[-0.4]])]
    bad, zero = [np.array([np.inf, 1.0]), np.array([[np.nan]])], [np.zeros(2), np.zeros((1, 1))]
    late = [np.ones(2), np.array([[np.inf]])]  # not finite in the last array only
    faint = [a / 100 for a in short]  # shorter than the limit even when multiplied by S
    settings = [
        (g, 64.0, 2.0) for g in (long, short, faint, bad, zero, [np.array([1.0, np.nan]), np.ones((1, 1))], late)
    ]
    settings += [(long, 16.0, 7.0), (short, 65536.0, 3e-6), (faint, 65536.0, 2.0), (bad, 1024.0, 2.0)]
    results = []
    for g, S, limit in settings:
        step, scale = answer([a.astype(np.float16) for a in g], S, limit)
        skipped, listed = step is None, isinstance(step, list | tuple)
        results += [
            float(skipped),
            np.nan if scale is None else scale,
            [] if skipped else [S * np.asarray(a) for a in step] if listed else step,  # times S: faint ones count
        ]
    return results


EXERCISES = [
    Exercise(
        "clip_relative",
        "which number plays the part of the limit here? It differs from array to array.",
        {
            "A gradient that is short enough must stay as it is; yours is stretched.": (
                "if size > longest else g ->; / size -> / max(size, 1e-300)"
            ),
            "Here the norm of theta has no lower bound: a weight at 0 could never leave it.": (
                "max(np.linalg.norm(theta), least) -> np.linalg.norm(theta)"
            ),
            "least bounds the norm of theta from below, not the longest gradient.": (
                "ratio * max(np.linalg.norm(theta), least) -> max(ratio * np.linalg.norm(theta), least)"
            ),
            "That clips each number by itself, which turns the direction.": (
                "return g * longest / size if size > longest else g -> return np.clip(g, -longest, longest)"
            ),
            "That is clipping at ratio; the norm of theta does not enter.": "* max(np.linalg.norm(theta), least) ->",
            "least replaces a norm that is too small; it is not added.": (
                "max(np.linalg.norm(theta), least) -> (np.linalg.norm(theta) + least)"
            ),
            "max, not min: a theta shorter than least counts as least.": "max -> min",
            "The norm is the root of the sum of the squares, not the largest size.": (
                "np.linalg.norm(theta) -> abs(theta).max(); np.linalg.norm(g) -> abs(g).max()"
            ),
            "Where is ratio? The longest gradient is ratio times the norm of theta.": "ratio * ->",
            "A factor of ratio says nothing about the new length; make it ratio times the norm of theta.": (
                "g * longest / size -> g * ratio"
            ),
        },
        on(
            *((T, G, 0.1, 1.0), (T / 100, G, 0.1, 2.0), (T, G / 1000, 0.1, 1.0), (T, 0 * G, 0.1, 1.0)),
            *((T / 100, G, 3.0, 0.5), (T, G, 0.7, 0.02), (0 * T, G, 0.02, 0.3)),
            (np.array([[3.0, 1.0], [0.0, -4.0]]), np.array([[60.0, 10.0], [0.0, -80.0]]), 0.1, 1.0),
        ),
    ),
    Exercise(
        "accumulate",
        "over how many tokens is the new mean, and how many of them are new?",
        {
            "That is the mean of the means; each must count with its tokens.": (
                f"{MEAN} -> ((g + g_new) / 2 if n else g_new)"
            ),
            "0 times NaN is NaN: an empty micro-batch must change nothing.": "if n_new == 0: return g, n ->",
            "That is the sum of the gradients; divide by the tokens.": f"{MEAN} -> g * n + g_new * n_new",
            "The weights are swapped: g counts with n, g_new with n_new.": "* n_new / (n -> * n / (n",
            "The mean is right; the tokens so far must be added up.": ", n + n_new -> , n_new",
            "Ask for n_new = 0, not for NaN: a NaN from real tokens must stay visible.": (
                "n_new == 0 -> np.isnan(g_new).any()"
            ),
            "np.nan_to_num also hides a NaN from real tokens; ask for n_new = 0.": (
                "(g_new - g) -> (np.nan_to_num(g_new) - g)"
            ),
            "Divide by all tokens so far, n + n_new, not by the new ones.": (
                f"{MEAN} -> (g * n + g_new * n_new) / n_new"
            ),
            "n counts tokens: it grows by n_new, not by 1.": ", n + n_new -> , n + 1",
            "Adding the means forgets to weigh them.": f"{MEAN} -> g + g_new",
        },
        streams,
        returns=2,
    ),
    Exercise(
        "scaled_step",
        "in which order do unscaling and clipping come, and when is there no step at all?",
        {
            "In float16 small numbers vanish and squares overflow: turn each array into float32 before all else.": (
                ".astype(np.float32) ->"
            ),
            "Unscale before you clip: the limit is meant for the true gradient.": (
                "np.float32) / S -> np.float32); a * limit / max -> a / S * limit / max"
            ),
            "The gradient is still S times too large: unscale it.": "np.float32) / S -> np.float32)",
            "One norm for all arrays together; yours clips each by itself.": (
                "[a * limit / max(size, limit) for a in g] -> [a * limit / max(np.linalg.norm(a), limit) for a in g]"
            ),
            "After a step that is skipped, S must be halved.": "None, S / 2 -> None, S",
            "The list is unscaled, but not clipped.": "a * limit / max(size, limit) -> a",
            "inf is not finite either: such a step must be skipped too.": (
                "not all(np.isfinite(a).all() for a in g) -> any(np.isnan(a).any() for a in g)"
            ),
            "None, not zeros: given zeros, a rule with momentum would still move.": (
                "None, -> [0 * np.nan_to_num(a) for a in g],"
            ),
            "A gradient that is short enough must only be unscaled; yours is stretched.": (
                "max(size, limit) -> max(size, 1e-30)"
            ),
            "The norms of the arrays do not add up; their squares do.": (
                "np.sqrt(sum((a**2).sum() for a in g)) -> sum(map(np.linalg.norm, g))"
            ),
        },
        half_precision,
        returns=2,
    ),
]
