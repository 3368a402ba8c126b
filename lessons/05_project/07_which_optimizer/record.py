"""The small model pre-trained with five rules, as many tries for each; the runs of a rule lie in one batch.

A seed draws the pages, the weights and the batches; within a seed all runs share them.
"""

import numpy as np
import torch
from torch.func import functional_call, vmap

from lessons_lib import data, models
from lessons_lib.optim import SGD, Adam, Momentum, Muon, RMSProp

SEEDS = range(10, 15)  # the grids were chosen on seed 0
STEPS, CONTEXT, ROWS, HELD, WARMUP, EVERY = 100, 64, 4, 40, 10, 25
RULES = {
    "SGD": SGD(1.0),
    "momentum": Momentum(1.0, 0.95, nesterov=True),
    "RMSProp": RMSProp(1.0, alpha=0.95),
    "Adam": Adam(1.0, beta2=0.95),
    "Muon": Muon(1.0, weight_decay=0.0),
}
ALL = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]  # one rate: the rule on everything; not for Muon
INNER = {  # two rates: the rule's on the inner matrices,
    "SGD": [0.1, 0.3, 1.0, 3.0, 10.0],
    "momentum": [0.003, 0.01, 0.03, 0.1, 0.3],
    "RMSProp": [0.0003, 0.001, 0.003, 0.01, 0.03],
    "Adam": [0.0003, 0.001, 0.003, 0.01, 0.03],
    "Muon": [0.003, 0.01, 0.03, 0.1, 0.3],
}
REST = [0.01, 0.03, 0.1, 0.3]  # and Adam's on the embedding and the norms


class Moved:
    """One array of several runs under one rule: the rule's step at rate 1, times the rate of each run."""

    def __init__(self, rule, rates, p):
        self.rule, self.p = rule, p
        self.rates = torch.tensor(rates, dtype=p.dtype).view(-1, *[1] * (p.ndim - 1))
        self.zero = torch.zeros_like(p)
        each = isinstance(rule, Muon)  # a rule for one matrix, not for a stack of them
        self.state = [rule.init(z) for z in self.zero] if each else rule.init(self.zero)

    def step(self, g, factor):
        if isinstance(self.state, list):
            moved = [self.rule.update(*a) for a in zip(self.zero, g, self.state, strict=True)]
            step, self.state = torch.stack([m for m, _ in moved]), [s for _, s in moved]
        else:
            step, self.state = self.rule.update(self.zero, g, self.state)
        self.p += factor * self.rates * step


def train(rule, tries, model, batches, held):
    """All tries (rate, Adam's rate or None): the loss after every EVERY steps, and that of each token at the end."""
    one = [rate for rate, rest in tries if rest is None]
    inner, rest = (list(a) for a in zip(*tries[len(one) :], strict=True))
    stack = {name: p.detach().repeat(len(tries), *[1] * p.ndim) for name, p in model.named_parameters()}
    every = []
    for name, p in stack.items():
        if p.ndim == 3 and "embed" not in name:
            every.append((name, slice(None), Moved(RULES[rule], one + inner, p)))
            continue
        if one:
            every.append((name, slice(len(one)), Moved(RULES[rule], one, p[: len(one)])))
        every.append((name, slice(len(one), None), Moved(RULES["Adam"], rest, p[len(one) :])))

    def losses(some, x, y):
        logits = functional_call(model, some, (x,))
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")

    def tensors(batch):
        return data.Batch(*map(torch.from_numpy, batch))

    def judged():
        with torch.no_grad():
            parts = [
                vmap(losses, in_dims=(0, None, None))(stack, b.x, b.y)
                for b in map(tensors, map(held.rows, np.split(np.arange(HELD), 10)))
            ]
        return torch.cat(parts, 1).nan_to_num(99.0, 99.0).clamp(max=99.0)

    curves = []
    for step in range(STEPS):
        batch = tensors(batches(step))
        for p in stack.values():
            p.requires_grad_(True)
        value = vmap(losses, in_dims=(0, None, None))(stack, batch.x, batch.y).mean(1)
        gradient = dict(zip(stack, torch.autograd.grad(value.sum(), list(stack.values())), strict=True))
        for p in stack.values():
            p.requires_grad_(False)
        norm = torch.stack([g.flatten(1).norm(dim=1) for g in gradient.values()]).norm(dim=0)
        clip = (1 / (norm + 1e-6)).clamp(max=1.0)
        for name, here, moved in every:
            g = gradient[name][here]
            moved.step(g * clip[here].view(-1, *[1] * (g.ndim - 1)), min(1.0, (step + 1) / WARMUP))
        if (step + 1) % EVERY == 0:
            end = judged()
            curves.append(end.mean(1))
    return torch.stack(curves, 1), end


def tenths_of(shares):
    """The tenth of the text, 0 to 9, in which each token lies, the most frequent ones first."""
    order = (-shares).argsort(kind="stable")
    middle = shares[order].cumsum() - shares[order] / 2
    found = np.zeros(len(shares), dtype=int)
    found[order] = 10 * middle
    return found


def run(seed):
    """The curve of each try and its loss in each tenth of the text; with those of the frequencies alone."""
    text = data.corpus(seed=seed)
    tokenizer = data.bpe(text.train)
    ids = data.encode(tokenizer, text.train)
    held = data.in_order(data.encode(tokenizer, text.validation), CONTEXT, HELD)
    torch.manual_seed(seed)
    model = models.Transformer(models.Config())
    y, counts = held.y.flatten(), np.bincount(ids, minlength=model.config.vocab_size)
    part, share = tenths_of(counts / counts.sum()), (counts + 1) / (counts + 1).sum()

    def by_tenth(loss):
        return [round(float(loss[part[y] == k].mean()), 3) for k in range(10)]

    found = {
        "kinds": np.bincount(part, minlength=10).tolist(),  # of tokens, in each tenth
        "frequencies": round(float(-np.log(share[y]).mean()), 3),  # the loss of a model that knows them alone
        "frequencies by tenth": by_tenth(-np.log(share[y])),
    }
    for rule in RULES:
        tries = [(rate, None) for rate in ALL if rule != "Muon"]
        tries += [(rate, rest) for rest in REST for rate in INNER[rule]]
        curves, end = train(rule, tries, model, data.windows(ids, CONTEXT, ROWS, seed), held)
        for (rate, rest), curve, loss in zip(tries, curves.tolist(), end.numpy(), strict=True):
            name = f"{rule} {rate:g}" + (f", rest {rest:g}" if rest else "")
            found[name], found[f"{name} by tenth"] = [round(v, 3) for v in curve], by_tenth(loss)
    return found
