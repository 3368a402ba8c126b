"""Fine-tuning the small model with five splits: other rates, replay, from scratch, no mask, and half the way."""

import copy

import numpy as np
import torch

from lessons_lib import bridge, data, models, training

SEEDS = range(5)
STEPS, ROWS, CONTEXT = 160, 16, 64
RATES = [3e-4, 1e-3, 3e-3, 1e-2]
WAY = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def run(seed):
    """[loss on the task, loss on the old text] in nats per token, a list of those for a grid; how far they moved."""
    bridge.start("cpu", seed)
    base, tokenizer, _ = models.pretrained()
    text = data.corpus(seed=0)  # the split with which the base was trained
    old = data.in_order(data.encode(tokenizer, text.validation), CONTEXT)
    pieces = data.windows(data.encode(tokenizer, text.train), CONTEXT, 4, seed)

    def task(split, mask_prompt=True):
        train, test = data.docstring_task(tokenizer, split)
        rows = data.shuffled(data.answers(train, CONTEXT, mask_prompt), ROWS, seed)
        return rows, data.answers(test, CONTEXT).rows(slice(0, None, 2))

    def judged(model, test):
        return [training.evaluate(model, test), training.evaluate(model, old)]

    def trained(rows, lr, begin=base):
        model = copy.deepcopy(begin)
        training.train(model, rows, training.Recipe(steps=STEPS, lr=lr, warmup=20))
        return model

    def between(end, share):
        model = copy.deepcopy(base)
        with torch.no_grad():
            for p, q in zip(model.parameters(), end.parameters(), strict=True):
                p.lerp_(q, share)
        return model

    @torch.no_grad()
    def moved(*ends):  # the lengths of the two changes, and the cosine between them
        a, b = (
            torch.cat([(q - p).ravel() for p, q in zip(base.parameters(), end.parameters(), strict=True)])
            for end in ends
        )
        return [float(v) for v in (a.norm(), b.norm(), torch.cosine_similarity(a, b, dim=0))]

    torch.manual_seed(seed)
    fresh = models.Transformer(base.config)
    rows, test = task(seed)
    unmasked, _ = task(seed, mask_prompt=False)
    same, same_test = task(0)

    def replay(step):  # the same answers, and four pieces of the old text
        return data.Batch(*map(np.concatenate, zip(rows(step), pieces(step), strict=True)))

    tuned = {lr: trained(rows, lr) for lr in RATES}
    replayed = {lr: trained(replay, lr) for lr in (1e-3, 3e-3)}
    return {
        "base": judged(base, test),
        "tuned": [judged(tuned[lr], test) for lr in RATES],
        "way, 1e-3": [judged(between(tuned[1e-3], a), test) for a in WAY[2:7:2]],
        "way, 3e-3": [judged(between(tuned[3e-3], a), test) for a in WAY],
        "replay": [judged(replayed[lr], test) for lr in (1e-3, 3e-3)],
        "moved": moved(tuned[3e-3], replayed[3e-3]),
        "scratch": [judged(trained(rows, lr, fresh), test) for lr in RATES[1:]],
        "unmasked": judged(trained(unmasked, 3e-3), test),
        "same split, tuned": judged(trained(same, 3e-3), same_test),
        "same split, scratch": judged(trained(same, 3e-3, fresh), same_test),
    }
