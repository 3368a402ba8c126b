"""Exercises of the lesson on clipping and accumulation, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _norm(a):
    return np.linalg.norm(a)


def _rows(a):
    return np.linalg.norm(a, axis=-1, keepdims=True)


def _relative(theta, g, ratio, least):
    longest = ratio * max(_norm(theta), least)
    return g * longest / _norm(g) if _norm(g) > longest else g


_T, _G = np.array([3.0, 4.0]), np.array([60.0, -80.0])
_ARRAYS = (
    *((_T, _G, 0.1, 1.0), (_T / 100, _G, 0.1, 2.0), (_T, _G / 1000, 0.1, 1.0), (_T, 0 * _G, 0.1, 1.0)),
    *((_T / 100, _G, 3.0, 0.5), (_T, _G, 0.7, 0.02), (0 * _T, _G, 0.02, 0.3)),
    (np.array([[3.0, 1.0], [0.0, -4.0]]), np.array([[60.0, 10.0], [0.0, -80.0]]), 0.1, 1.0),
)


relative = Exercise(
    "clip_relative",
    "which number plays the part of the limit here? It differs from array to array.",
    {
        "A gradient that is short enough must stay as it is; yours is stretched.": lambda t, g, r, least: (
            g * r * max(_norm(t), least) / max(_norm(g), 1e-300)
        ),
        "Here the norm of theta has no lower bound: a weight at 0 could never leave it.": lambda t, g, r, least: (
            _relative(t, g, r, 0.0)
        ),
        "least bounds the norm of theta from below, not the longest gradient.": lambda t, g, r, least: (
            g * min(1.0, max(r * _norm(t), least) / max(_norm(g), 1e-300))
        ),
        "That clips each number by itself, which turns the direction.": lambda t, g, r, least: np.clip(
            g, -r * max(_norm(t), least), r * max(_norm(t), least)
        ),
        "That is clipping at ratio; the norm of theta does not enter.": lambda t, g, r, least: (
            g * min(1.0, r / max(_norm(g), 1e-300))
        ),
        "One norm for the whole matrix; yours treats each row by itself.": lambda t, g, r, least: (
            g * np.minimum(1.0, r * np.maximum(_rows(t), least) / np.maximum(_rows(g), 1e-300))
        ),
        "norm(a, 2) of a matrix is another norm; take the root of the sum of all squares.": lambda t, g, r, least: (
            g * min(1.0, r * max(np.linalg.norm(t, 2), least) / max(np.linalg.norm(g, 2), 1e-300))
        ),
        "The norm is the root of the sum of the squares, not the sum of the sizes.": lambda t, g, r, least: (
            g * min(1.0, r * max(np.abs(t).sum(), least) / max(np.abs(g).sum(), 1e-300))
        ),
        "Norms of whole arrays are compared, not each number with its own.": lambda t, g, r, least: np.clip(
            g, -r * np.maximum(np.abs(t), least), r * np.maximum(np.abs(t), least)
        ),
        "least replaces a norm that is too small; it is not added.": lambda t, g, r, least: (
            g * min(1.0, r * (_norm(t) + least) / max(_norm(g), 1e-300))
        ),
        "max, not min: a theta shorter than least counts as least.": lambda t, g, r, least: (
            g * min(1.0, r * min(_norm(t), least) / max(_norm(g), 1e-300))
        ),
        "A short theta counts as least: its longest gradient is ratio * least, not ratio.": lambda t, g, r, least: (
            g * min(1.0, r * (_norm(t) if _norm(t) > least else 1.0) / max(_norm(g), 1e-300))
        ),
        "Where theta is shorter than least, clip as well: at ratio * least.": lambda t, g, r, least: (
            g if _norm(t) < least else _relative(t, g, r, least)
        ),
        "A gradient of zeros must come back as it is; yours is 0 / 0.": lambda t, g, r, least: (
            g / _norm(g) * min(_norm(g), r * max(_norm(t), least))
        ),
        "One norm for the whole matrix; yours treats each column by itself.": lambda t, g, r, least: (
            g
            * np.minimum(
                1.0,
                r * np.maximum(np.linalg.norm(t, axis=0), least) / np.maximum(np.linalg.norm(g, axis=0), 1e-300),
            )
        ),
        "The root is missing: that compares the squares of the norms.": lambda t, g, r, least: (
            g * min(1.0, r * max(_norm(t) ** 2, least) / max(_norm(g) ** 2, 1e-300))
        ),
        "The norm is the root of the sum of the squares, not the largest size.": lambda t, g, r, least: (
            g * min(1.0, r * max(np.abs(t).max(), least) / max(np.abs(g).max(), 1e-300))
        ),
        "Where is ratio? The longest gradient is ratio times the norm of theta.": lambda t, g, r, least: _relative(
            t, g, 1.0, least
        ),
        "That shortens g to the length 1, not to the longest length allowed.": lambda t, g, r, least: (
            g / _norm(g) if _norm(g) > r * max(_norm(t), least) else g
        ),
        "A factor of ratio says nothing about the new length; make it ratio times the norm of theta.": (
            lambda t, g, r, least: g * r if _norm(g) > r * max(_norm(t), least) else g
        ),
        "It is the norm of theta that counts as least or more, not the norm of g.": lambda t, g, r, least: (
            g * min(1.0, r * _norm(t) / max(_norm(g), least))
        ),
    },
    on(*_ARRAYS),
)


def _accumulate(g, n, g_new, n_new):
    return (g, n) if n_new == 0 else (g + (g_new - g) * n_new / (n + n_new), n + n_new)


def _try_accumulate(answer):
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


running = Exercise(
    "accumulate",
    "over how many tokens is the new mean, and how many of them are new?",
    {
        "That is the mean of the means; each must count with its tokens.": lambda g, n, h, m: (
            (g, n) if m == 0 else ((g + h) / 2 if n else h, n + m)
        ),
        "That is the mean of the means; each must count with its tokens, and an empty one not at all.": (
            lambda g, n, h, m: ((g + h) / 2, n + m)
        ),
        "0 times NaN is NaN: an empty micro-batch must change nothing.": lambda g, n, h, m: (
            (g * n + h * m) / (n + m),
            n + m,
        ),
        "That is the sum of the gradients; divide by the tokens.": lambda g, n, h, m: (
            (g, n) if m == 0 else (g * n + h * m, n + m)
        ),
        "The weights are swapped: g counts with n, g_new with n_new.": lambda g, n, h, m: (
            (g, n) if m == 0 else ((g * m + h * n) / (n + m), n + m)
        ),
        "The mean is right; the tokens so far must be added up.": lambda g, n, h, m: (_accumulate(g, n, h, m)[0], m),
        "Ask for n_new = 0, not for NaN: a NaN from real tokens must stay visible.": lambda g, n, h, m: (
            (g, n) if np.isnan(h).any() else _accumulate(g, n, h, m)
        ),
        "np.nan_to_num also hides a NaN from real tokens; ask for n_new = 0.": lambda g, n, h, m: (
            (g, n) if m == 0 else _accumulate(g, n, np.nan_to_num(h), m)
        ),
        "np.nan_to_num hides a NaN from real tokens, and 0 / 0 remains; ask for n_new = 0.": lambda g, n, h, m: (
            (g * n + np.nan_to_num(h) * m) / (n + m),
            n + m,
        ),
        "The mean comes first, then the number of tokens.": lambda g, n, h, m: _accumulate(g, n, h, m)[::-1],
        "After an empty micro-batch g and n stay as they were; yours start again.": lambda g, n, h, m: (
            (0 * g, 0) if m == 0 else _accumulate(g, n, h, m)
        ),
        "g_new counts n_new times, not once.": lambda g, n, h, m: (g, n) if m == 0 else (g + (h - g) / (n + m), n + m),
        "Divide by all tokens so far, n + n_new, not by the new ones.": lambda g, n, h, m: (
            (g, n) if m == 0 else ((g * n + h * m) / m, n + m)
        ),
        "That counts micro-batches; a micro-batch of n_new tokens counts n_new times.": lambda g, n, h, m: (
            (g, n) if m == 0 else ((g * n + h) / (n + 1), n + 1)
        ),
        "n counts tokens: it grows by n_new, not by 1.": lambda g, n, h, m: (
            (g, n) if m == 0 else (_accumulate(g, n, h, m)[0], n + 1)
        ),
        "Half of each is right only for equal counts; and at the start, g is over 0 tokens.": lambda g, n, h, m: (
            (g, n) if m == 0 else ((g + h) / 2, n + m)
        ),
        "g is a mean over n tokens, so it counts n times.": lambda g, n, h, m: (
            (g, n) if m == 0 else ((g + h * m) / (n + m), n + m)
        ),
        "An empty micro-batch can come later, too: ask for n_new = 0 alone.": lambda g, n, h, m: (
            (g, n) if n + m == 0 else ((g * n + h * m) / (n + m), n + m)
        ),
        "The first micro-batch may be the empty one: ask for n_new = 0 before n = 0.": lambda g, n, h, m: (
            (h, m) if n == 0 else _accumulate(g, n, h, m)
        ),
        "Adding the means forgets to weigh them.": lambda g, n, h, m: (g, n) if m == 0 else (g + h, n + m),
    },
    _try_accumulate,
    returns=2,
)


def _flat(g):
    return np.concatenate([np.zeros(0), *(np.ravel(a) for a in g)])  # in float64


def _scaled(g, S, limit):
    if not np.isfinite(_flat(g)).all():
        return None, S / 2
    return _blind(g, S, limit)


def _blind(g, S, limit):  # no question whether the numbers are finite
    size = _norm(_flat(g)) / S
    return [a / S * min(1.0, limit / max(size, 1e-300)) for a in g], S


def _try_scaled(answer):
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


def _in_half(g, S, limit):
    if not all(np.isfinite(a).all() for a in g):
        return None, S / 2
    g = [a / S for a in g]
    size = np.sqrt(sum((a**2).sum() for a in g))
    return [a * limit / max(size, limit) for a in g], S


def _wide(wrong):
    """This mistake and no other: what it computes is not in float16."""
    return lambda g, S, limit: wrong([a.astype(float) for a in g], S, limit)


_SLIPS = {
    "Any of the arrays may hold a number that is not finite; look at all of them.": lambda g, S, limit: (
        (None, S / 2) if not np.isfinite(g[0]).all() else (_scaled([np.nan_to_num(a) for a in g], S, limit)[0], S)
    ),
    "Unscale before you clip: the limit is meant for the true gradient.": lambda g, S, limit: (
        _scaled([a * S for a in g], S, limit)[0] and [a / S for a in _scaled([a * S for a in g], S, limit)[0]],
        _scaled(g, S, limit)[1],
    ),
    "The gradient is still S times too large: unscale it.": lambda g, S, limit: (
        _scaled([a * S for a in g], S, limit)[0],
        _scaled(g, S, limit)[1],
    ),
    "One norm for all arrays together; yours clips each by itself.": lambda g, S, limit: (
        None if _scaled(g, S, limit)[0] is None else [_scaled([a], S, limit)[0][0] for a in g],
        _scaled(g, S, limit)[1],
    ),
    "After a step that is skipped, S must be halved.": lambda g, S, limit: (_scaled(g, S, limit)[0], S),
    "S is halved only where a number is not finite.": lambda g, S, limit: (_scaled(g, S, limit)[0], S / 2),
    "The list is unscaled, but not clipped.": lambda g, S, limit: (
        None if _scaled(g, S, limit)[0] is None else [a / S for a in g],
        _scaled(g, S, limit)[1],
    ),
    "inf is not finite either: such a step must be skipped too.": lambda g, S, limit: (
        (None, S / 2) if np.isnan(_flat(g)).any() else _blind(g, S, limit)
    ),
    "Nothing may be handed over where a number is not finite: return None, not the list.": lambda g, S, limit: (
        _scaled(g, S, limit) if np.isfinite(_flat(g)).all() else (g, S / 2)
    ),
    "None, not zeros: given zeros, a rule with momentum would still move.": lambda g, S, limit: (
        _scaled(g, S, limit) if np.isfinite(_flat(g)).all() else ([np.zeros_like(a) for a in g], S / 2)
    ),
    "A gradient that is short enough must only be unscaled; yours is stretched.": lambda g, S, limit: (
        ([a * limit / max(_norm(_flat(g)), 1e-300) for a in g], S) if np.isfinite(_flat(g)).all() else (None, S / 2)
    ),
    "That clips each number by itself; shorten all arrays by one factor.": lambda g, S, limit: (
        ([np.clip(a / S, -limit, limit) for a in g], S) if np.isfinite(_flat(g)).all() else (None, S / 2)
    ),
    "The norms of the arrays do not add up; their squares do.": lambda g, S, limit: (
        ([a / S * min(1.0, limit * S / max(sum(map(_norm, g)), 1e-300)) for a in g], S)
        if np.isfinite(_flat(g)).all()
        else (None, S / 2)
    ),
    "Ask first: inf or NaN in g must skip the step.": _blind,
    "One array that is not finite is enough to skip; yours waits until all of them are bad.": lambda g, S, limit: (
        _blind(g, S, limit) if any(np.isfinite(a).all() for a in g) else (None, S / 2)
    ),
    "After a skipped step S is halved, not doubled: it was too large.": lambda g, S, limit: (
        _scaled(g, S, limit) if np.isfinite(_flat(g)).all() else (None, 2 * S)
    ),
    "After a step that is taken, S stays as it is.": lambda g, S, limit: (
        (_scaled(g, S, limit)[0], 2 * S) if np.isfinite(_flat(g)).all() else (None, S / 2)
    ),
    "S has nothing to do with the clip: halve it only where a number is not finite.": lambda g, S, limit: (
        _scaled(g, S, limit)[0],
        S / 2 if not _norm(_flat(g)) <= S * limit else S,
    ),
    "A hole filled with 0 turns the direction: skip the whole step.": lambda g, S, limit: (
        _blind([np.where(np.isfinite(a), a, 0.0) for a in g], S, limit)[0],
        _scaled(g, S, limit)[1],
    ),
    "The norm is the root of the sum of the squares, not the largest size.": lambda g, S, limit: (
        ([a / S * min(1.0, limit * S / max(np.abs(_flat(g)).max(), 1e-300)) for a in g], S)
        if np.isfinite(_flat(g)).all()
        else (None, S / 2)
    ),
    "A gradient of zeros must come back as zeros; yours is 0 / 0.": lambda g, S, limit: (
        ([a / _norm(_flat(g)) * min(limit, _norm(_flat(g)) / S) for a in g], S)
        if np.isfinite(_flat(g)).all()
        else (None, S / 2)
    ),
    "The root is missing: that compares the square of the norm with the limit.": lambda g, S, limit: (
        ([a / S * min(1.0, limit / max(_norm(_flat(g) / S) ** 2, 1e-300)) for a in g], S)
        if np.isfinite(_flat(g)).all()
        else (None, S / 2)
    ),
    "The loss was multiplied by S, so divide; yours multiplies once more.": lambda g, S, limit: (
        _scaled([a * S * S for a in g], S, limit)[0],
        _scaled(g, S, limit)[1],
    ),
    "A list is wanted, each array in its shape; yours is one long array.": lambda g, S, limit: (
        (_flat(_blind(g, S, limit)[0]), S) if np.isfinite(_flat(g)).all() else (None, S / 2)
    ),
    "The list comes first, then S.": lambda g, S, limit: _scaled(g, S, limit)[::-1],
    "NaN is not finite either: such a step must be skipped too.": lambda g, S, limit: (
        (None, S / 2) if np.isinf(_flat(g)).any() else (_scaled([np.nan_to_num(a) for a in g], S, limit)[0], S)
    ),
}

scaled = Exercise(
    "scaled_step",
    "in which order do unscaling and clipping come, and when is there no step at all?",
    {
        "In float16 small numbers vanish and squares overflow: turn each array into float32 before all else.": _in_half,
        **{text: _wide(wrong) for text, wrong in _SLIPS.items()},
    },
    _try_scaled,
    returns=2,
)

EXERCISES = [relative, running, scaled]
