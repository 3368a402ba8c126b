"""Ten rules on the digits, twelve rates for each, all falling to 0 alike: seeds 100 to 102 choose, 0 to 4 judge."""

from dataclasses import replace

import numpy as np

from lessons_lib import data
from lessons_lib.losses import soft_cross_entropy
from lessons_lib.optim import SGD, Adafactor, Adam, AdamMini, AdEMAMix, Chain, Lion, Lookahead, Momentum, Sophia

TUNING = tuple(range(100, 103))
SEEDS = (*range(5), *TUNING)
STEPS, HIDDEN, EVERY, PICTURES, BATCHES = 150, 16, 10, 600, (4,)


class Relative:
    """A rule whose steps are measured against the size of theta, as Adafactor's are."""

    def __init__(self, rule):
        self.rule = rule

    def init(self, theta):
        return self.rule.init(theta)

    def update(self, theta, g, state):
        moved, state = self.rule.update(0 * theta, g, state)
        return theta + max((theta**2).mean() ** 0.5, 1e-3) * moved, state


RULES = {  # each with twelve rates 2^(k/2), a factor of sqrt(2) apart
    "momentum": (Momentum, range(-12, 0)),
    "signum": (lambda lr: Chain((Momentum(1.0), np.sign), SGD(lr)), range(-19, -7)),
    "Lion": (Lion, range(-19, -7)),
    "Adam": (Adam, range(-14, -2)),
    "AdEMAMix": (lambda lr: AdEMAMix(lr, beta3=0.99, alpha=2.0), range(-16, -4)),
    "Adam-mini": (AdamMini, range(-14, -2)),
    "Adam, relative": (lambda lr: Relative(Adam(lr)), range(-11, 1)),
    "Adafactor": (Adafactor, range(-11, 1)),
    "Sophia": (lambda lr: Sophia(lr, 0.9, 0.9, gamma=0.05, weight_decay=0.0), range(-17, -5)),
    "Lookahead(Adam)": (lambda lr: Lookahead(Adam(lr)), range(-12, 0)),
}


def slower(rule, factor):
    """The rule with its rate times the factor."""
    if isinstance(rule, Relative):
        return Relative(slower(rule.rule, factor))
    inner = getattr(rule, "rule", None)
    return replace(rule, rule=slower(inner, factor)) if inner else replace(rule, lr=rule.lr * factor)


def problem(seed):
    """Pictures, one-hot labels, first weights."""
    rng = np.random.default_rng(seed)
    drawn = data.digits(seed)
    a = rng.normal(size=(64, HIDDEN)) / 8
    b = rng.normal(size=(HIDDEN, 10)) / HIDDEN**0.5
    return drawn.x[:PICTURES], np.eye(10)[drawn.y[:PICTURES]], a, b


def slopes(x, y, a, b):
    """The mean loss of a network with one hidden layer, its two gradients, and the probabilities."""
    h = np.tanh(x @ a)
    found = soft_cross_entropy(h @ b, y)
    push = found.grad / len(x)
    return found.value.mean(), [x.T @ (push @ b.T * (1 - h**2)), h.T @ push], y + found.grad


def curvature(x, y, a, b, rng):
    """Its diagonal, estimated: labels drawn from the model, squared gradients times the batch."""
    p = slopes(x, y, a, b)[2]
    drawn = (rng.random((len(p), 1)) > p.cumsum(1)).sum(1).clip(max=9)
    return [len(x) * g**2 for g in slopes(x, np.eye(10)[drawn], a, b)[1]]


def train(rule, seed, batch):
    """The mean loss over all pictures after so many steps."""
    x, y, *weights = problem(seed)
    states = [rule.init(w) for w in weights]
    rng, other = np.random.default_rng(seed + 1), np.random.default_rng(seed + 2)
    for step in range(STEPS):
        rows, now = rng.integers(len(x), size=batch), slower(rule, 1 - step / STEPS)
        if isinstance(rule, Sophia) and step % EVERY == 0:
            found = curvature(x[rows], y[rows], *weights, other)
            states = [rule.with_curvature(s, c) for s, c in zip(states, found, strict=True)]
        _, g, _ = slopes(x[rows], y[rows], *weights)
        for i in range(2):
            weights[i], states[i] = now.update(weights[i], g[i], states[i])
    return float(slopes(x, y, *weights)[0])


def run(seed):
    return {
        f"{name}, {batch}": [train(make(2.0 ** (k / 2)), seed, batch) for k in grid]
        for name, (make, grid) in RULES.items()
        for batch in BATCHES
    }
