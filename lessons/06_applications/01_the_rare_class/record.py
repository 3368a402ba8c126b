"""One rare digit among nine others: weights, focal loss and neither, split by split."""

import numpy as np
from sklearn.datasets import load_digits

from lessons_lib.losses import binary_cross_entropy, focal
from lessons_lib.losses._stable import sigmoid
from lessons_lib.optim import Adam, descend

SEEDS = range(20)
LAMBDAS = 10.0 ** np.arange(-3.5, 0.1, 0.25)
RATIOS = [5, 20, 49, 100]
WINNERS = {  # the place of the best penalty by "tune", a mean over all seeds; the lesson asserts it
    8: {
        "weight 1": 7,
        "weight 7": 7,
        "weight 20": 7,
        "weight 49": 7,
        "weight 120": 6,
        "focal 0.5": 8,
        "focal 1": 8,
        "focal 2": 8,
        "focal 4": 7,
    },
    0: {"weight 1": 6, "weight 49": 7, "focal 2": 8},
    1: {"weight 1": 4, "weight 49": 5, "focal 2": 4},
    2: {"weight 1": 3, "weight 49": 2, "focal 2": 1},
    3: {"weight 1": 3, "weight 49": 2, "focal 2": 2},
    4: {"weight 1": 7, "weight 49": 13, "focal 2": 7},
    5: {"weight 1": 3, "weight 49": 3, "focal 2": 2},
    6: {"weight 1": 5, "weight 49": 6, "focal 2": 5},
    7: {"weight 1": 3, "weight 49": 3, "focal 2": 2},
    9: {"weight 1": 5, "weight 49": 4, "focal 2": 6},
}
PIXELS, DIGITS = load_digits(return_X_y=True)


def parts(seed, digit):
    """Training 735 + 15, validation 490 + 10, test 380 + 145.

    A row is a picture less the mean one, in steps of 4 grey values, and a constant.
    """
    order = np.random.default_rng(seed).permutation(len(PIXELS))
    x, y = PIXELS[order], (DIGITS[order] == digit) * 1.0
    common, rare = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    rows = [
        np.r_[common[a:b], rare[c:d]] for a, b, c, d in ((0, 735, 0, 15), (735, 1225, 15, 25), (1225, 1605, 25, 170))
    ]
    x = np.c_[(x - x[rows[0]].mean(0)) / 4, np.ones(len(x))]
    return [(x[r], y[r]) for r in rows]


def fit(x, y, kind, amount, penalties=LAMBDAS, steps=300):
    """Parameters (65, penalties): the minimum of the mean loss plus a penalty / 2 times the squared weights."""
    y, n = y[:, None] + 0 * penalties, len(y)
    shrunk = np.r_[np.ones(64), 0][:, None] * penalties

    def slope(z):
        if kind == "focal":
            return focal(np.stack([0 * z, z], -1), y.astype(int), float(amount)).grad[..., 1] / n
        return binary_cross_entropy(z, y, float(amount)).grad / (1 + (amount - 1) * y).sum(0)

    return descend(np.zeros((65, len(penalties))), Adam(0.2), lambda a: x.T @ slope(x @ a) + shrunk * a, steps)[-1]


def told(z, kind, amount):
    """The logit of the true share that stands behind what the model says."""
    if kind == "weight":
        return z - np.log(amount)
    p = np.clip(sigmoid(z), 1e-9, 1 - 1e-9)

    def v(p):
        return (p - amount * (1 - p) * np.log1p(-p)) / (1 - p) ** amount

    return np.log(v(p) / v(1 - p))


def curve(z, y):
    """Share of the rare that is found, false alarms among the others, and the score, from the highest score down."""
    order = np.argsort(-z, kind="stable")
    return np.cumsum(y[order]) / y.sum(), np.cumsum(1 - y[order]) / (1 - y).sum(), z[order]


def average_precision(z, y):
    found, false, _ = curve(z, y)
    return (np.diff(found, prepend=0) * 0.02 * found / (0.02 * found + 0.98 * false)).sum()


def alarms(z, y, cut):
    return (z[y == 1] > cut).mean(), (z[y == 0] > cut).mean()


def cost(found, false, ratio):  # of 1000 pictures, 20 of them rare, in false alarms
    return 20 * (1 - found) * ratio + 980 * false


def chosen(z, y, ratio):
    """The cheapest cut on these pictures, in the middle between two scores; and what it costs on them."""
    found, false, scores = curve(z, y)
    prices = cost(np.r_[0, found], np.r_[0, false], ratio)
    k, edges = prices.argmin(), np.r_[scores[0] + 1, scores, scores[-1] - 1]
    return (edges[k] + edges[k + 1]) / 2, prices[k]


def judged(kind, amount, penalty, ratios, train, valid, test):
    """Average precision, found and false alarms at p > 1/2, loss and mean probability (each raw and mended), then for
    each ratio of costs: the cost with the cut chosen on the validation part, with the cut from the costs on mended
    probabilities, and what the first cut promised on the validation part."""
    a = fit(*train, kind, amount, np.array([penalty]))[:, 0]
    z_valid, z, y = valid[0] @ a, test[0] @ a, test[1]
    mended = told(z, kind, amount)
    count = np.where(y == 1, 0.02 / y.sum(), 0.98 / (1 - y).sum())
    row = [average_precision(z, y), *alarms(z, y, 0)]
    row += [count @ binary_cross_entropy(s, y).value for s in (z, mended)] + [count @ sigmoid(s) for s in (z, mended)]
    for ratio in ratios:
        cut, promised = chosen(z_valid, valid[1], ratio)
        row += [cost(*alarms(s, y, c), ratio) for s, c in ((z, cut), (mended, -np.log(ratio)))] + [promised]
    return [float(f"{v:.4g}") for v in row]


def run(seed):
    """By digit and loss. "tune": average precision per penalty, on another split. "judge": numbers of the winner."""
    found = {}
    for digit, winners in WINNERS.items():
        other, own = parts(10_000 + seed, digit), parts(seed, digit)
        for name, winner in winners.items():
            kind, amount = name.split()[0], float(name.split()[1])
            tuned = [average_precision(other[1][0] @ a, other[1][1]) for a in fit(*other[0], kind, amount).T]
            ratios = RATIOS if digit == 8 else [20]
            found[f"{digit}, {name}"] = {
                "tune": [float(f"{v:.5g}") for v in tuned],
                "judge": judged(kind, amount, LAMBDAS[winner], ratios, *own),
            }
    return found
