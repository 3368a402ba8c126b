"""A learned optimizer and two Adams with the same budget of task runs, at home and on other tasks."""

import numpy as np

from lessons_lib import data
from lessons_lib.optim.learned_optimizer import FAST, SLOW, SQUARES, initial_weights

SEEDS = range(10, 15)  # the evolution's settings were chosen with seed 0
INPUTS, BATCH, STEPS = 16, 16, 40  # pixels that are read, pictures in a batch, steps of a run
PAIRS, TASKS, UPDATES = 16, 8, 998  # of the evolution: mirrored pairs, tasks for each, updates
SIGMA, RATE = 0.05, 0.03
TRIES, EACH = 1000, 256  # of Adam's random search: settings, tasks for each
KEPT = [2, 4, 7, 10, 15, 20, 30, 40, 50, 70, 100, 140, 200, 260, 320, 400, 480, 560, 640, 720, 800, 900, UPDATES]
TIMES = [10, 20, 40, 80, 160, 320, 640]
RATES = 2.0 ** np.arange(-4, 9)  # factors of the rate, when it is tuned for other tasks


class Pixels:
    """Guess a pixel of a digit from 16 others, by squared error. theta: (..., tasks, 16)."""

    def __init__(self, x, targets, rng, count, steps=STEPS, start=0.0, scale=1.0):
        goal = rng.choice(targets, count)
        others = [rng.choice(np.setdiff1d(np.arange(x.shape[1]), k), INPUTS, replace=False) for k in goal]
        self.x, self.y = x[:, np.array(others)].swapaxes(0, 1), x[:, goal].T
        self.bend = self.x.swapaxes(1, 2) @ self.x / len(x)
        seen = (self.x.swapaxes(1, 2) @ self.y[..., None])[..., 0] / len(x)
        self.best = np.linalg.solve(self.bend, seen[..., None])[..., 0]
        self.rows = rng.integers(0, len(x), (steps, count, BATCH))
        self.start, self.scale = start * rng.normal(size=(count, INPUTS)), scale

    def gradient(self, theta, t):
        i, j = np.arange(len(self.y))[:, None], self.rows[t]
        x, miss = self.x[i, j], -self.y[i, j, None]
        miss = miss + x @ theta[..., None]
        return self.scale * (x.swapaxes(-1, -2) @ miss)[..., 0] / BATCH

    def left(self, theta):  # the loss above its minimum, as a share of that at the start
        def above(gap):
            return ((gap[..., None, :] @ self.bend)[..., 0, :] * gap).sum(-1)

        return above(theta - self.best) / above(self.start - self.best)


def turned(tasks, signs):
    """Pixel tasks with the sign of all inputs changed where `signs` is -1: their minima then lie opposite."""
    tasks.x, tasks.best = tasks.x * signs[:, None, None], tasks.best * signs[:, None]
    return tasks


class Digits:
    """Tell two digits apart from 16 pixels, by binary cross-entropy. theta: (..., tasks, 16)."""

    def __init__(self, x, y, rng, count, steps=STEPS):
        self.x, self.y, self.rows = [], [], rng.integers(0, 200, (steps, count, BATCH))
        for _ in range(count):
            one, other = rng.choice(10, 2, replace=False)
            rows = np.concatenate([rng.choice(np.flatnonzero(y == k), 100, replace=False) for k in (one, other)])
            self.x.append(x[rows][:, rng.choice(x.shape[1], INPUTS, replace=False)])
            self.y.append(y[rows] == one)
        self.x, self.y = np.array(self.x), np.array(self.y, dtype=float)
        self.start = np.zeros((count, INPUTS))

    def gradient(self, theta, t):
        i, j = np.arange(len(self.y))[:, None], self.rows[t]
        x, z = self.x[i, j], 0.0
        z = (x @ theta[..., None])[..., 0]
        p = 0.5 + 0.5 * np.tanh(z / 2)
        return ((p - self.y[i, j])[..., None, :] @ x)[..., 0, :] / BATCH

    def left(self, theta):
        z = (self.x @ theta[..., None])[..., 0]
        return (np.logaddexp(0, z) - self.y * z).mean(-1) / np.log(2)


class Network:
    """64 pixels, 16 hidden units, 10 digits, cross-entropy. theta: (..., tasks, 1210), another beginning for each."""

    def __init__(self, x, y, rng, count, steps=STEPS):
        self.x, self.hot, self.rows = x, np.eye(10)[y], rng.integers(0, len(x), (steps, 32))
        first, second = rng.normal(size=(count, 1024)) / 8, rng.normal(size=(count, 160)) / 4
        self.start = np.concatenate([first, np.zeros((count, 16)), second, np.zeros((count, 10))], 1)
        self.first = self.loss(self.start)

    def parts(self, theta):
        lead = theta.shape[:-1]
        a, b, c, d = np.split(theta, [1024, 1040, 1200], axis=-1)
        return a.reshape(*lead, 64, 16), b[..., None, :], c.reshape(*lead, 16, 10), d[..., None, :]

    def gradient(self, theta, t):
        a, b, c, d = self.parts(theta)
        x, hot = self.x[self.rows[t]], self.hot[self.rows[t]]
        h = np.tanh(x @ a + b)
        z = h @ c + d
        p = np.exp(z - z.max(-1, keepdims=True))
        push = (p / p.sum(-1, keepdims=True) - hot) / len(x)
        back = (push @ c.swapaxes(-1, -2)) * (1 - h * h)
        flat = [x.T @ back, back.sum(-2), h.swapaxes(-1, -2) @ push, push.sum(-2)]
        return np.concatenate([g.reshape(*theta.shape[:-1], -1) for g in flat], -1)

    def loss(self, theta):
        a, b, c, d = self.parts(theta)
        z = np.tanh(self.x @ a + b) @ c + d
        top = z.max(-1, keepdims=True)
        return (top[..., 0] + np.log(np.exp(z - top).sum(-1)) - (z * self.hot).sum(-1)).mean(-1)

    def left(self, theta):
        return self.loss(theta) / self.first


def column(numbers):  # one for each rule of the population
    return np.asarray(numbers, dtype=float).reshape(-1, 1, 1)


def learned(tasks, weights, lr, times=(STEPS,)):
    """What is left at these times: (times, rules, tasks). weights: (rules, 40), lr: (rules,)."""
    units = np.asarray(weights, dtype=float).reshape(-1, 1, 8, 5)
    sums, speaks = units[..., :3].swapaxes(-1, -2), units[..., 3:]
    theta = tasks.start + np.zeros((max(len(units), np.size(lr)), 1, 1))
    fast, slow, v = np.zeros((3, *theta.shape))
    found = []
    for t in range(1, max(times) + 1):
        g = tasks.gradient(theta, t - 1)
        fast, slow = FAST * fast + (1 - FAST) * g, SLOW * slow + (1 - SLOW) * g
        v = SQUARES * v + (1 - SQUARES) * g**2
        size = np.sqrt(v / (1 - SQUARES**t))
        size = np.where(size > 0, size, 1)  # no gradient yet: the features are 0
        seen = np.stack([g / size, fast / (1 - FAST**t) / size, slow / (1 - SLOW**t) / size], -1)
        d, s = np.moveaxis(np.maximum(seen @ sums, 0) @ speaks, -1, 0)
        theta = theta - column(lr) * d * np.exp(s)
        if t in times:
            found.append(tasks.left(theta))
    return np.array(found)


def adam(tasks, lr, beta1=0.9, beta2=0.999, end=1.0, times=(STEPS,)):
    """The same for Adam; its rate falls on a straight line to the share `end` at step 40, and stays."""
    lr, beta1, beta2, end = map(column, (lr, beta1, beta2, end))
    theta = tasks.start + 0 * lr
    m, v = np.zeros((2, *theta.shape))
    found = []
    for t in range(1, max(times) + 1):
        g = tasks.gradient(theta, t - 1)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        rate = lr * (1 - (1 - end) * min((t - 1) / (STEPS - 1), 1))
        theta = theta - rate * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-12)
        if t in times:
            found.append(tasks.left(theta))
    return np.array(found)


def score(left):  # the mean logarithm over the tasks; a run that diverges counts as a million times the start
    return np.log10(np.clip(np.nan_to_num(left, nan=1e6), 1e-6, 1e6)).mean(-1)


def evolve(weights, lr, draw, rng, updates=UPDATES, keep=()):
    """Meta-training: the weights, and those after the updates in `keep`. draw(): fresh tasks."""
    w, m, v, kept = np.array(weights, dtype=float), 0.0, 0.0, []
    for k in range(1, updates + 1):
        noise, tasks = rng.normal(size=(PAIRS, len(w))), draw()
        both = score(learned(tasks, np.concatenate([w + SIGMA * noise, w - SIGMA * noise]), [lr])[0])
        g = ((both[:PAIRS] - both[PAIRS:])[:, None] * noise).mean(0) / (2 * SIGMA)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        w = w - RATE * (1 - (k - 1) / updates) * m / (1 - 0.9**k) / np.sqrt(v / (1 - 0.99**k))
        if k in keep:
            kept.append(w)
    return w, kept


def pictures(seed):
    """The split's digits, the pixels that vary, and which of them are targets: in the training, and in the test."""
    split = data.digits(seed)
    x = split.x[:, split.x.std(0) > 0.5]
    order = np.random.default_rng([seed, 1]).permutation(x.shape[1])
    return split, x, order[:-12], order[-12:]


def first_rate(x, targets, rng):  # of Adam, from eight tries
    rates = 2.0 ** np.arange(-8, 0)
    return float(rates[score(adam(Pixels(x, targets, rng, 64), rates)[0]).argmin()])


def search(x, targets, rng, falls):
    """Adam's knobs from a random search: lr, beta1, beta2, end."""
    knobs = np.stack(
        [
            10 ** rng.uniform(-3, 0, TRIES),
            1 - 10 ** rng.uniform(-2, 0, TRIES),
            1 - 10 ** rng.uniform(-3.5, -0.3, TRIES),
            rng.uniform(0, 1, TRIES) if falls else np.ones(TRIES),
        ]
    )
    tasks = Pixels(x, targets, rng, EACH)
    found = [score(adam(tasks, *knobs[:, k : k + 10])[0]) for k in range(0, TRIES, 10)]
    return [float(k) for k in knobs[:, np.concatenate(found).argmin()]]


def rules_of(lr, weights, plain, falling):
    """label: a function of tasks, factors of the rate, and times."""

    def by_adam(rate, *knobs):
        return lambda tasks, factors=(1.0,), times=(STEPS,): adam(tasks, rate * np.array(factors), *knobs, times=times)

    return {
        "textbook Adam": by_adam(lr),
        "Adam, searched": by_adam(*plain),
        "Adam, falling rate": by_adam(*falling),
        "learned": lambda tasks, factors=(1.0,), times=(STEPS,): learned(
            tasks, [weights], lr * np.array(factors), times
        ),
    }


def families_of(seed):
    """family: tasks to tune the rate on, tasks that judge, and the times at which they do."""
    split, x, train, test = pictures(seed)

    def pixels(steps=STEPS, start=0.0):
        return [
            Pixels(x, part, np.random.default_rng([seed, k]), n, steps, start)
            for part, k, n in ((train, 4, 64), (test, 5, 128))
        ]

    return {
        "home": (*pixels(TIMES[-1]), TIMES),
        "far": (*pixels(start=3.0), [STEPS]),
        "two digits": (*(Digits(x, split.y, np.random.default_rng([seed, k]), 64) for k in (4, 5)), [STEPS]),
        "network": (
            *(Network(split.x, split.y, np.random.default_rng([seed, k]), 2, 320) for k in (4, 5)),
            [STEPS, 320],
        ),
    }


def run(seed):
    """Weights and knobs; then log10 of what is left, by family and rule: as it is, and with its rate tuned.

    The weights with a coin: the same training, but a coin decides for each task whether it is turned around.
    """
    _, x, train, _ = pictures(seed)
    rng = np.random.default_rng([seed, 2])
    lr = first_rate(x, train, rng)
    weights, kept = evolve(initial_weights(seed), lr, lambda: Pixels(x, train, rng, TASKS), rng, keep=KEPT)
    weights = weights.round(6)
    toss = np.random.default_rng([seed, 6])
    coin, _ = evolve(
        initial_weights(seed), lr, lambda: turned(Pixels(x, train, toss, TASKS), toss.choice([-1.0, 1.0], TASKS)), toss
    )
    plain, falling = (search(x, train, np.random.default_rng([seed, 3]), f) for f in (False, True))
    found = {"lr": lr, "weights": weights.tolist(), "Adam": plain, "Adam, falling": falling}
    found["weights, coin"] = coin.round(6).tolist()
    if seed == SEEDS[0]:
        found["kept"] = np.round([initial_weights(seed), *kept], 4).tolist()
    for family, (tuning, judging, times) in families_of(seed).items():
        for label, rule in rules_of(lr, weights, plain, falling).items():
            best = score(rule(tuning, RATES, times)).argmin(1)
            ends = [float(score(rule(judging, [RATES[k]], times[: i + 1]))[i, 0]) for i, k in enumerate(best)]
            found[f"{family}, {label}"] = {
                "as it is": score(rule(judging, (1.0,), times))[:, 0].tolist(),
                "tuned": ends,
                "factor": RATES[best].tolist(),
            }
    return found
