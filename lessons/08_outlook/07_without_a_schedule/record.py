"""A small language model, trained with and without a schedule: every rule at a grid of rates, read along the way."""

from dataclasses import replace

import numpy as np

from lessons_lib import bridge, data
from lessons_lib.optim import AdamW, Prodigy, ScheduleFreeAdamW
from lessons_lib.optim.schedules import polynomial, warmup_cosine

TUNING = range(4)  # these seeds choose the rates, the others judge
SEEDS = range(12)
WORDS, WIDTH, BATCH, WARM, LAST = 128, 16, 32, 20, 800
LOOKS = [50, 100, 200, 400, 800]
RATES = [round(0.006 * 2 ** (k / 2), 4) for k in range(12)]
BETAS = [0.1, 0.5, 0.98]  # besides 0.9
STARTS = [1e-8, 1e-4, 1e-2, 1.0, 10.0]  # of Prodigy's d, besides 1e-6


class Task:
    """Predict a word from the word before it; theta holds 16 numbers for each word read and each word predicted."""

    def __init__(self, seed):
        pairs = data.pairs(data.words(seed, WORDS + 1).ids, WORDS + 1)[:WORDS, :WORDS]
        self.q, rng = pairs / pairs.sum(), np.random.default_rng(seed)
        self.rare = np.log(self.q.sum(0))
        self.start = rng.normal(size=(2, WORDS, WIDTH)) * 0.3
        self.drawn = rng.choice(WORDS**2, size=(LAST, BATCH), p=self.q.ravel())

    def logits(self, theta):
        return theta[0] @ theta[1].T + self.rare

    def loss(self, theta):  # over the whole text
        z = self.logits(theta)
        top = z.max(1, keepdims=True)
        return float((self.q * (top + np.log(np.exp(z - top).sum(1, keepdims=True)) - z)).sum())

    def gradient(self, theta, t):  # of batch t
        i, j = divmod(self.drawn[t], WORDS)
        z = theta[0][i] @ theta[1].T + self.rare
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p[np.arange(BATCH), j] -= 1
        p /= BATCH
        read = (np.arange(WORDS)[:, None] == i).astype(float)
        return np.stack([read @ (p @ theta[1]), p.T @ theta[0][i]])


def train(task, rule, factor, steps, looks, points=lambda rule, theta, state: [theta]):
    """The losses of `points` after each number of steps in `looks`, and the last state."""
    theta, state, seen = task.start, rule.init(task.start), []
    for t in range(steps):
        theta, state = replace(rule, lr=rule.lr * factor(t)).update(theta, task.gradient(theta, t), state)
        if t + 1 in looks:
            seen.append([task.loss(point) for point in points(rule, theta, state)])
    return seen, state


def warm(t):
    return min(1.0, (t + 1) / WARM)


def falling(total):  # up in 20 steps, then along a cosine to 0
    return lambda t: warmup_cosine(t + 1, WARM, total, 1.0)


def line(total):
    return lambda t: warm(t) * polynomial(max(0, t + 1 - WARM), total - WARM, 1.0)


def three(rule, theta, state):  # x, y, z
    return [rule.averaged(theta, state), theta, state.z]


def run(seed):
    """Losses in nats: rates, then looks; for schedule-free a list of those at x, y and z."""
    bridge.start("cpu", seed)
    task = Task(seed)

    def adam(lr, beta1=0.9):
        return AdamW(lr, beta1, beta2=0.99, weight_decay=0.0)

    def free(lr, beta1=0.9):
        return ScheduleFreeAdamW(lr, beta1, beta2=0.99)

    found = {"start": task.loss(task.start)}
    for total in LOOKS:  # each plan at its end; the longest at every look
        ends = [train(task, adam(lr), falling(total), total, LOOKS)[0] for lr in RATES]
        found[f"cosine for {total}"] = [[v[0] for v in look] for look in ends]
    found["constant"] = [[v[0] for v in train(task, adam(lr), warm, LAST, LOOKS)[0]] for lr in RATES]
    found["line"] = [train(task, adam(lr), line(LAST), LAST, [LAST])[0][0][0] for lr in RATES]
    found["free"] = [train(task, free(lr), warm, LAST, LOOKS, three)[0] for lr in RATES]
    for beta in BETAS:
        ends = [train(task, free(lr, beta), warm, LAST, [LAST], three)[0][0] for lr in RATES]
        found[f"free, beta {beta}"] = ends
        ends = [train(task, adam(lr, beta), falling(LAST), LAST, [LAST])[0][0][0] for lr in RATES]
        found[f"cosine, beta {beta}"] = ends
    cosine = falling(LAST)
    looks, state = train(task, Prodigy(beta2=0.99), lambda t: 1.0, LAST, LOOKS)
    found["Prodigy, constant"], found["Prodigy, d"] = [v[0] for v in looks], state.d
    found["Prodigy, cosine"] = [v[0] for v in train(task, Prodigy(beta2=0.99), cosine, LAST, LOOKS)[0]]
    ends = [train(task, Prodigy(beta2=0.99, d0=d), cosine, LAST, [LAST]) for d in STARTS]
    found["Prodigy, starts"] = [[looks[0][0], state.d] for looks, state in ends]
    return found
