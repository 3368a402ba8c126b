"""Upper half of a digit: name the digit, guess the lower half. Fixed weights of the two losses against learned ones.

All models of a seed start alike and see the same batches of 64; only the weights differ. Adam with rate 0.01 trains the
network, gradient descent with the way's own rate the log variances. Every 100 steps the losses are measured on pictures
for training, for validation (400) and for the test (397), each divided by the loss of a constant prediction.
"""

import numpy as np
import torch

from lessons_lib import data
from lessons_lib.losses import uncertainty_weighting

SEEDS = range(10)
FIXED = [10.0 ** (k / 2) for k in range(-2, 5)]  # the weight of the lower half; that of the digit is 1
RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]  # of the log variances
GUIDE = ("learned", 0.03)
OTHERS = [("logs", 0.0), ("held-out", 0.0), ("ratio", 0.0), ("rise", 0.0)]  # the last two take parts from GUIDE
WAYS = [("fixed", w) for w in FIXED] + [("learned", r) for r in RATES] + OTHERS
HIDDEN, STEPS, EVERY = 8, 800, 100


def pictures(seed):
    split = data.digits(seed)
    x, y = np.concatenate([split.x, split.x_test]), np.concatenate([split.y, split.y_test])
    keep = x.std(0) > 0.3
    keep[:32] = False
    return [torch.tensor(a) for a in (x[:, :32].astype("f4"), x[:, keep].astype("f4"), y)]


def start(seed, ways, outputs):
    g = torch.Generator().manual_seed(seed)
    first = torch.randn(1, 32, HIDDEN, generator=g) / 32**0.5
    last = torch.randn(1, HIDDEN, 10 + outputs, generator=g) / HIDDEN**0.5 / 10
    begin = [first, torch.zeros(1, 1, HIDDEN), last, torch.zeros(1, 1, 10 + outputs)]
    return [p.repeat(ways, 1, 1).requires_grad_() for p in begin], g


def losses(theta, upper, lower, y):
    """Cross-entropy of the digit and mean squared error of the lower half, a row per way."""
    first, a, last, b = theta
    z = torch.tanh(upper @ first + a) @ last + b
    digit = -torch.log_softmax(z[..., :10], -1)[:, torch.arange(len(y)), y].mean(1)
    return torch.stack([digit, ((z[..., 10:] - lower) ** 2).mean((1, 2))], -1)


def race(seed, n, ways, steps=STEPS, every=EVERY):
    """{part: shares of the loss left, (checks, ways, 2)} and the log variances, (checks, ways, 2)."""
    whole = pictures(seed)
    parts = {"train": slice(0, n), "validation": slice(1000, 1400), "test": slice(1400, None)}
    parts = {k: [a[rows] for a in whole] for k, rows in parts.items()}
    theta, g = start(seed, len(ways), whole[1].shape[1])
    kinds = np.array([kind for kind, _ in ways])
    rate = torch.tensor([r if kind == "learned" else 0.0 for kind, r in ways])[:, None]
    s = torch.tensor([[0.0, -np.log(w) if kind == "fixed" else 0.0] for kind, w in ways], dtype=torch.float32)
    adam, found, seen = torch.optim.Adam(theta, lr=0.01), {k: [] for k in parts}, []
    for t in range(steps + 1):
        if t % every == 0:
            with torch.no_grad():
                for k, part in parts.items():
                    now = losses(theta, *part)
                    found[k].append((now / torch.stack([torch.tensor(10.0).log(), (part[1] ** 2).mean()])).numpy())
                    if k == "validation" and t:
                        s[kinds == "held-out"] = now[kinds == "held-out"].log()
            seen.append(s.numpy().copy())
        rows = torch.randint(0, n, (64,), generator=g)
        batch = losses(theta, *(a[rows] for a in parts["train"]))
        s[kinds == "logs"] = batch.detach()[kinds == "logs"].log()
        for guide in (s[k].clone() for k, way in enumerate(ways) if way == GUIDE):
            s[kinds == "rise"] = guide[:1]  # both weights rise as the digit's does, and stay equal
            s[kinds == "ratio"] = guide - guide[0]  # the ratio of the two weights is the same, and that of the digit 1
        weight, slope = uncertainty_weighting(batch.detach(), s).grad
        for p, q in zip(theta, torch.autograd.grad((weight * batch).sum(), theta), strict=True):
            p.grad = q
        adam.step()
        s -= rate * slope
    return {k: np.array(v) for k, v in found.items()} | {"s": np.array(seen)}


def run(seed):
    """For each number of training pictures and each way: what is left of the two losses on the test pictures, at the
    check that is best on the validation pictures (by the sum of the two shares, by their product), and at the end."""
    out = {}
    for n in (400, 1000):
        found = race(seed, n, WAYS)
        for name, judge in (("sum", found["validation"].sum(-1)), ("product", found["validation"].prod(-1))):
            best = judge.argmin(0)
            each = np.arange(len(WAYS))
            out[f"{n}, {name}: validation"] = judge[best, each].round(4).tolist()
            out[f"{n}, {name}: test"] = found["test"][best, each].round(4).tolist()
            out[f"{n}, {name}: step"] = (EVERY * best).tolist()
        out[f"{n}, end: validation"] = found["validation"][-1].round(4).tolist()
        out[f"{n}, end: test"] = found["test"][-1].round(4).tolist()
        out[f"{n}, end: train"] = found["train"][-1].round(4).tolist()
        out[f"{n}, end: s"] = found["s"][-1].round(3).tolist()
    return out
