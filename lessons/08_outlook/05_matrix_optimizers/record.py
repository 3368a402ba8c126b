"""The race on the digits, in three bases of the same pixels: seeds 100 to 102 choose the rates, 0 to 9 judge."""

import numpy as np

from lessons_lib import data
from lessons_lib.losses import soft_cross_entropy
from lessons_lib.optim import SGD, SOAP, Adam, Momentum, Muon, Shampoo

TUNING = (100, 101, 102)
SEEDS = (*range(10), *TUNING)
STEPS, BATCH, HIDDEN = 100, 64, 32
BASES = ("pixels", "random", "principal")
RULES = {  # each with twelve rates, a factor of sqrt(2) apart
    "SGD": (SGD, [2.0 ** (k / 2) for k in range(0, 12)]),
    "momentum": (lambda lr: Momentum(lr, 0.95, nesterov=True), [2.0 ** (k / 2) for k in range(-9, 3)]),
    "Adam": (lambda lr: Adam(lr, 0.95, 0.95), [2.0 ** (k / 2) for k in range(-15, -3)]),
    "Muon": (lambda lr: Muon(lr, weight_decay=0.0), [2.0 ** (k / 2) for k in range(-15, -3)]),
    "Shampoo": (lambda lr: Shampoo(lr, 0.95, 1e-6), [2.0 ** (k / 2) for k in range(-6, 6)]),
    "SOAP": (lambda lr: SOAP(lr, weight_decay=0.0), [2.0 ** (k / 2) for k in range(-14, -2)]),
}


def problem(seed, basis="pixels"):
    """Pictures, one-hot labels, first weights; the three bases give the same network at the start."""
    rng = np.random.default_rng(seed)
    drawn = data.digits(seed)
    x, y = drawn.x[:1000], np.eye(10)[drawn.y[:1000]]
    x = (x - x.mean(0)) / x.std()
    a = rng.normal(size=(64, HIDDEN)) / 8
    b = rng.normal(size=(HIDDEN, 10)) / HIDDEN**0.5
    turns = {
        "pixels": lambda: np.eye(64),
        "random": lambda: np.linalg.qr(rng.normal(size=(64, 64)))[0],
        "principal": lambda: np.linalg.eigh(x.T @ x)[1],
    }
    turn = turns[basis]()
    return x @ turn, y, turn.T @ a, b


def slopes(x, y, a, b):
    """The mean loss of a network with one hidden layer, and its two gradients."""
    h = np.tanh(x @ a)
    found = soft_cross_entropy(h @ b, y)
    push = found.grad / len(x)
    return found.value.mean(), x.T @ (push @ b.T * (1 - h**2)), h.T @ push


def train(rule, seed, basis="pixels", steps=STEPS):
    """The mean loss over all pictures after so many steps, each with a batch of its own."""
    x, y, *weights = problem(seed, basis)
    states = [rule.init(w) for w in weights]
    rng = np.random.default_rng(seed + 1)
    for _ in range(steps):
        rows = rng.integers(len(x), size=BATCH)
        _, *g = slopes(x[rows], y[rows], *weights)
        for i in range(2):
            weights[i], states[i] = rule.update(weights[i], g[i], states[i])
    return float(slopes(x, y, *weights)[0])


def run(seed):
    return {
        f"{name}, {basis}": [train(make(rate), seed, basis) for rate in rates]
        for name, (make, rates) in RULES.items()
        for basis in BASES
    }
