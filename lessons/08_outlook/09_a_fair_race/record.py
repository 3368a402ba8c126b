"""Eight rules on five tasks at nineteen learning rates: the loss over all training data after the last step."""

from dataclasses import replace

import numpy as np

from lessons_lib import data
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import SOAP, Adafactor, AdamW, Lion, Momentum, Muon, RMSProp, ScheduleFreeAdamW

SEEDS = range(12)  # the first four tune, the others judge
STEPS, TUNING = 80, 4
RATES = [round(10 ** (k / 3), 9) for k in range(-15, 4)]  # 0.00001 to 10, three a decade
RULES = {
    "momentum": Momentum(),
    "RMSProp": RMSProp(),
    "AdamW": AdamW(weight_decay=0.0),
    "Adafactor": Adafactor(),
    "Lion": Lion(),
    "schedule-free": ScheduleFreeAdamW(),
    "Muon": Muon(weight_decay=0.0),
    "SOAP": SOAP(weight_decay=0.0),
}
WORDS, WIDTH, HIDDEN = 64, 8, 12


def entropy(z, y):
    """The mean loss of each run, from logits (runs, examples, classes), and its gradient."""
    runs, n, classes = z.shape
    labels = np.broadcast_to(y, (runs, n)).ravel()
    found = cross_entropy(z.reshape(-1, classes), labels)
    return found.value.reshape(runs, n).mean(1), found.grad.reshape(z.shape) / n


def with_one(x):
    return np.concatenate([x, np.ones((*x.shape[:-1], 1))], -1)


def softmax_digits(seed, rng, spread=0.0):
    d = data.digits(seed)
    x = with_one(d.x / 4)

    def f(theta, rows):
        value, g = entropy(x[rows] @ theta[0], d.y[rows])
        return value, [x[rows].T @ g]

    return f, [spread * rng.normal(size=(65, 10))], len(x), 16


def softmax_elsewhere(seed, rng):
    return softmax_digits(seed, rng, 0.5)


def digits_net(seed, rng):
    d = data.digits(seed)
    x = with_one(d.x / 4)

    def f(theta, rows):
        h = with_one(np.tanh(x[rows] @ theta[0]))
        value, g = entropy(h @ theta[1], d.y[rows])
        back = (g @ theta[1].mT)[..., :-1] * (1 - h[..., :-1] ** 2)
        return value, [x[rows].T @ back, h.mT @ g]

    start = [rng.normal(size=(65, HIDDEN)) / 8, rng.normal(size=(HIDDEN + 1, 10)) / HIDDEN**0.5]
    return f, start, len(x), 16


def next_word(seed, rng):
    ids = data.words(seed, WORDS).ids
    before, after = ids[:-1][:4000], ids[1:][:4000]

    def f(theta, rows):
        hot = np.eye(WORDS)[before[rows]]
        h = hot @ theta[0]
        value, g = entropy(h @ theta[1], after[rows])
        return value, [hot.T @ (g @ theta[1].mT), h.mT @ g]

    start = [rng.normal(size=(WORDS, WIDTH)), rng.normal(size=(WIDTH, WORDS)) / WIDTH]
    return f, start, len(before), 32


def patients(seed, rng):
    d = data.diabetes(seed)
    x, y = with_one(d.x), ((d.y - d.y.mean()) / d.y.std())[:, None]

    def f(theta, rows):
        r = x[rows] @ theta[0] - y[rows]
        return (r**2).mean((1, 2)), [2 * x[rows].T @ r / len(y[rows])]

    return f, [rng.normal(size=(11, 1)) / 2], len(x), 4


def valley(seed, rng):
    def turned():
        q = np.linalg.qr(rng.normal(size=(12, 12)))[0]
        return q @ np.diag(np.logspace(0, -1, 12)) @ q.T

    a, b = turned(), turned()

    def f(theta, rows):
        r = a @ theta[0] @ b
        return (r**2).sum((1, 2)) / 2, [a @ r @ b]

    return f, [rng.normal(size=(12, 12)) / 12], 1, 1


TASKS = {"softmax": softmax_digits, "net": digits_net, "words": next_word, "patients": patients, "valley": valley}


CONTROLS = {"softmax, random start": (softmax_elsewhere, STEPS), "words, 20 steps": (next_word, 20)}


def train(rule, rates, task, seed, steps=STEPS):
    """The loss at the start, and that of each rate at the end; what ends higher, or nowhere, counts as the start."""
    f, start, n, size = task(seed, np.random.default_rng(seed))
    rng = np.random.default_rng([seed, 1])
    theta = [np.repeat(p[None], len(rates), 0) for p in start]
    free = isinstance(rule, ScheduleFreeAdamW)
    alone = not rule.elementwise or free  # a rule for one array, not for a stack of them
    state = [[rule.init(p) for p in stack] if alone else rule.init(stack) for stack in theta]
    column = np.array(rates)[:, None, None]
    with np.errstate(all="ignore"):
        first = float(f(theta, np.arange(n))[0][0])
        for step in range(steps):
            fall = 1.0 if free else 1 - step / steps
            _, g = f(theta, rng.integers(0, n, size) if n > 1 else np.arange(1))
            for k, grad in enumerate(g):
                grad = np.nan_to_num(grad, nan=0.0, posinf=1e100, neginf=-1e100)
                if alone:
                    for i, rate in enumerate(rates):
                        now = replace(rule, lr=fall * rate)
                        theta[k][i], state[k][i] = now.update(theta[k][i], grad[i], state[k][i])
                else:
                    move, state[k] = replace(rule, lr=1.0).update(0 * theta[k], grad, state[k])
                    theta[k] = np.clip(theta[k] + fall * column * move, -1e30, 1e30)
        if free:
            theta = [
                np.array([rule.averaged(p, s) for p, s in zip(*both, strict=True)])
                for both in zip(theta, state, strict=True)
            ]
        end = f(theta, np.arange(n))[0]
    return first, np.where(end < first, end, first)


def run(seed):
    found = {}
    for name, (task, steps) in ({k: (task, STEPS) for k, task in TASKS.items()} | CONTROLS).items():
        for label, rule in RULES.items():
            first, end = train(rule, RATES, task, seed, steps)
            found[f"{name}, {label}"] = [float(f"{v:.5g}") for v in end]
        found[f"{name}, start"] = float(f"{first:.5g}")
    return found
