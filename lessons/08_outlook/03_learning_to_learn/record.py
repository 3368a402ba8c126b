"""Starts for new tasks, from five ways of training on many tasks: sine waves, and five handwritten digits."""

import numpy as np
import torch

from lessons_lib import bridge, data
from lessons_lib.optim import Adam, maml_gradient, reptile_gradient

SEEDS = range(7)
OUTER = [3e-3, 1e-2, 3e-2, 0.1]  # learning rates of the training on many tasks
WAVES = {"steps": [0, 1, 2, 3, 5, 10, 20, 50], "rates": [0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.08]}
DIGITS = {"steps": [1, 5], "rates": [0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8]}
INNER = [1.0, 2.0, 4.0, 8.0]  # learning rates of the steps inside the training, for digits


class Net:
    """A network with tanh whose parameters are a row of numbers: one row and one network per task."""

    def __init__(self, widths, loss):
        self.shapes = [s for a, b in zip(widths, widths[1:], strict=False) for s in ((a, b), (1, b))]  # noqa: RUF007
        self.sizes = [a * b for a, b in self.shapes]
        self.head, self.loss = self.sizes[-2] + self.sizes[-1], loss

    def start(self, rng, zero_head=False):
        parts = [rng.normal(0, a**-0.5, (a, b)) if a > 1 or i == 0 else np.zeros((a, b))
                 for i, (a, b) in enumerate(self.shapes)]  # fmt: skip
        row = torch.tensor(np.concatenate([p.ravel() for p in parts]), dtype=torch.float32)
        if zero_head:
            row[-self.head :] = 0
        return row

    def __call__(self, theta, x):
        parts = [p.reshape(-1, *s) for p, s in zip(theta.split(self.sizes, -1), self.shapes, strict=True)]
        for i in range(0, len(parts), 2):
            x = (torch.tanh(x) if i else x) @ parts[i] + parts[i + 1]
        return x

    def slope(self, x, y):
        def gradient(theta):
            theta = theta.detach().requires_grad_()
            return torch.autograd.grad(self.loss(self(theta, x), y).sum(), theta)[0]

        return gradient

    def bend(self, x, y):
        def hvp(theta, v):
            theta = theta.detach().requires_grad_()
            slope = torch.autograd.grad(self.loss(self(theta, x), y).sum(), theta, create_graph=True)[0]
            return torch.autograd.grad(slope, theta, v)[0]

        return hvp


def waves(rng, count, points):
    """y = A sin(x + shift): a task per row."""
    height, shift = rng.uniform(0.1, 5, (count, 1, 1)), rng.uniform(0, np.pi, (count, 1, 1))
    return wave(rng, height, shift, points)


def wave(rng, height, shift, points):
    x = rng.uniform(-5, 5, (len(height), points, 1))
    return [torch.tensor(v, dtype=torch.float32) for v in (x, height * np.sin(x + shift))]


def train(begin, rule, task_gradient, steps):
    """begin: a row per outer learning rate. task_gradient(rows): their gradients, a row each."""
    state, rates = rule.init(begin), torch.tensor(OUTER)[: len(begin), None]
    for _ in range(steps):
        move, state = rule.update(torch.zeros_like(begin), task_gradient(begin), state)
        begin = begin + rates * move
    return begin


def on_waves(seed):
    net = Net([1, 32, 32, 1], lambda z, y: ((z - y) ** 2).mean((1, 2)))
    begin = net.start(np.random.default_rng(seed)).repeat(len(OUTER), 1)
    tasks, half, many = 20, 10, 100

    def by(gradient):
        rng = np.random.default_rng(1000 + seed)

        def mean_gradient(theta):
            x, y = (v.repeat(len(OUTER), 1, 1) for v in waves(rng, tasks, 2 * half))
            parts = (x, y), (x[:, :half], y[:, :half]), (x[:, half:], y[:, half:])
            rows = gradient(theta.repeat_interleave(tasks, 0), *parts)
            return rows.reshape(len(OUTER), tasks, -1).mean(1)

        return train(begin, Adam(1.0), mean_gradient, 1000)

    def own_heads():
        """100 tasks, a head each: the start is the body with the mean of the heads."""
        rng = np.random.default_rng(1000 + seed)
        height, shift = rng.uniform(0.1, 5, (many, 1, 1)), rng.uniform(0, np.pi, (many, 1, 1))
        body = begin[:, : -net.head]
        size = body.shape[1]

        def gradient(theta):
            heads = theta[:, size:].reshape(len(OUTER), many, -1)
            rows = torch.cat([theta[:, None, :size].expand(-1, many, -1), heads], 2).flatten(0, 1)
            part = [v.repeat(len(OUTER), 1, 1) for v in wave(rng, height, shift, tasks * 2 * half // many)]
            found = net.slope(*part)(rows).reshape(len(OUTER), many, -1)
            return torch.cat([found[:, :, :size].mean(1), found[:, :, size:].flatten(1)], 1)

        heads = begin[:, None, -net.head :].repeat(1, many, 1).flatten(1)
        end = train(torch.cat([body, heads], 1), Adam(1.0), gradient, 1000)
        return torch.cat([end[:, :size], end[:, size:].reshape(len(OUTER), many, -1).mean(1)], 1)

    starts = {
        "random": begin[:1],
        "joint": by(lambda rows, all_, s, q: net.slope(*all_)(rows)),
        "own heads": own_heads(),
        "MAML": by(lambda rows, _, s, q: maml_gradient(net.slope(*s), net.slope(*q), rows, 0.02, 1, net.bend(*s))),
        "first-order MAML": by(lambda rows, _, s, q: maml_gradient(net.slope(*s), net.slope(*q), rows, 0.02, 1)),
        "Reptile": by(lambda rows, all_, s, q: reptile_gradient(net.slope(*all_), rows, 0.02, 5)),
    }
    rng = np.random.default_rng(2000 + seed)
    x, y = waves(rng, 100, half + 50)

    def mean_loss(theta, part):
        return net.loss(net(theta, part[0]), part[1])

    return {
        name: [judged(net, row, (x[:, :half], y[:, :half]), (x[:, half:], y[:, half:]), mean_loss, WAVES)
               for row in rows]
        for name, rows in starts.items()
    }  # fmt: skip


def judged(net, row, support, query, score, grid):
    """The mean score on the query sets: a row per inner learning rate, a number per count of steps."""
    found = []
    for rate in grid["rates"]:
        theta, line = row.expand(len(support[0]), -1), []
        for k in range(grid["steps"][-1] + 1):
            if k in grid["steps"]:
                mean = float(score(theta, query).mean())
                line.append(round(min(mean, 1e6), 4) if np.isfinite(mean) else 1e6)
            theta = theta - rate * net.slope(*support)(theta)
        found.append(line)
    return found


def on_digits(seed):
    entropy = torch.nn.functional.cross_entropy
    net = Net([64, 64, 5], lambda z, y: entropy(z.flatten(0, 1), y.flatten(), reduction="none").view(y.shape).mean(1))
    drawn = data.digits(seed)
    order, shots = np.random.default_rng(seed).permutation(10), 5
    known = [drawn.x[drawn.y == c].astype(np.float32) / 2 for c in order[:5]]
    same, new = ([drawn.x_test[drawn.y_test == c].astype(np.float32) / 2 for c in part]
                 for part in (order[:5], order[5:]))  # fmt: skip

    def tasks(rng, count, pictures, query):
        """Five digits in a random order, each with `shots` pictures to learn from and `query` to be judged by."""
        x = []
        for _ in range(count):
            x.append([pictures[c][rng.permutation(len(pictures[c]))[: shots + query]] for c in rng.permutation(5)])
        x = torch.tensor(np.array(x))

        def cut(v):
            return v.flatten(1, 2), torch.arange(5).repeat_interleave(v.shape[2]).repeat(count, 1)

        return cut(x[:, :, :shots]), cut(x[:, :, shots:])

    begin = net.start(np.random.default_rng(seed), zero_head=True)

    def by(gradient, inner):
        rng, rule = np.random.default_rng(1000 + seed), Adam(3e-3)
        theta, state = begin, rule.init(begin)
        for _ in range(150):
            support, query = tasks(rng, 10, known, 10)
            rows = gradient(theta.expand(10, -1), support, query, inner)
            theta, state = rule.update(theta, rows.mean(0), state)
        return theta

    def maml(rows, s, q, inner):
        return maml_gradient(net.slope(*s), net.slope(*q), rows, inner, 5, net.bend(*s))

    def reptile(rows, s, q, inner):
        both = (torch.cat([a, b], 1) for a, b in zip(s, q, strict=True))
        return reptile_gradient(net.slope(*both), rows, inner, 5)

    def joint():
        rng = np.random.default_rng(1000 + seed)

        def gradient(theta):
            labels = rng.integers(5, size=750)  # as many pictures as in ten tasks
            x = torch.tensor(np.array([known[c][rng.integers(len(known[c]))] for c in labels]))
            return net.slope(x[None].repeat(len(theta), 1, 1), torch.tensor(labels).repeat(len(theta), 1))(theta)

        end = train(begin.repeat(len(OUTER), 1), Adam(1.0), gradient, 150)
        end[:, -net.head :] = 0  # a new head
        return end

    starts = {"random": begin[None], "joint": joint(), "MAML": [by(maml, i) for i in INNER],
              "Reptile": [by(reptile, i) for i in INNER]}  # fmt: skip

    def accuracy(theta, part):
        return (net(theta, part[0]).argmax(-1) == part[1]).float().mean(1)

    found = {}
    for where, pictures in (("new digits", new), ("known digits", same)):
        support, query = tasks(np.random.default_rng(2000 + seed), 40, pictures, 30)
        for name, rows in starts.items():
            found[f"{where}, {name}"] = [judged(net, row, support, query, accuracy, DIGITS) for row in rows]
    return found


def run(seed):
    """For every start: a table per outer learning rate, with a row per inner rate and a column per number of steps."""
    bridge.start("cpu", seed)
    return {f"waves, {name}": v for name, v in on_waves(seed).items()} | on_digits(seed)
