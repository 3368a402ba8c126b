"""Small students of the course's base model: from labels, from distributions, without a word.

Seeds 0 to 4 judge. Seeds 5 and 6 only tune: every rate of the grid, the held-out loss every 50 steps.
"""

import copy

import numpy as np
import torch

from lessons_lib import bridge, data, models, training
from lessons_lib.bridge import as_autograd
from lessons_lib.losses import cross_entropy, distillation, generalized_jensen_shannon, reverse_kl

SEEDS = range(7)
JUDGES, CONTEXT, ROWS, STEPS, EVERY, MORE = 5, 64, 8, 250, 50, 100
AMOUNTS = [60, 300, 1500]  # pieces of 64 tokens
READ_AT = [0.9, 0.8, 0.7]
RATES = [2e-3, 5e-3, 1.25e-2, 3e-2]
BEST = {"labels": 5e-3, "teacher": 1.25e-2}  # what seeds 5 and 6 find
STOPS = {("labels", 60): 100, ("teacher", 60): 100}
STUDENT = models.Config(
    hidden_size=32, intermediate_size=86, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2
)
label, soft = as_autograd(cross_entropy), as_autograd(distillation)
back, middle = as_autograd(reverse_kl), as_autograd(generalized_jensen_shannon)
LOSSES = {  # of logits z, labels y and the teacher's logits t
    "labels": lambda z, y, t: label(z, y),
    "teacher": lambda z, y, t: soft(z, t),
    "drawn": lambda z, y, t: label(z, torch.multinomial(t.softmax(-1), 1)[:, 0]),
    "reverse": lambda z, y, t: back(z, t),
    "jsd": lambda z, y, t: middle(z, t),
    "mixed": lambda z, y, t: 0.5 * label(z, y) + 0.5 * soft(z, t, temperature=4.0),
    "mixed, T = 1": lambda z, y, t: 0.5 * label(z, y) + 0.5 * soft(z, t),
    "mixed, no T^2": lambda z, y, t: 0.5 * label(z, y) + 0.5 / 16 * soft(z, t, temperature=4.0),
}


def run(seed):
    """For a judge, what each student says on held-out text; for a tuner, each rate's held-out loss every 50 steps."""
    bridge.start("cpu", seed)
    teacher, tokenizer, _ = models.pretrained()
    text = data.corpus(seed=0)  # the split with which the teacher was trained
    word = tokenizer.encode(" the").ids[0]
    pieces = data.in_order(data.encode(tokenizer, text.train), CONTEXT)
    pieces = pieces.rows(np.random.default_rng(seed).permutation(len(pieces.x))[: AMOUNTS[-1]])
    test = data.in_order(data.encode(tokenizer, text.validation), CONTEXT).rows(slice(0, None, 4))

    @torch.no_grad()
    def logits(model, batch):
        return torch.cat([model(torch.from_numpy(batch.x[i : i + 50])) for i in range(0, len(batch.x), 50)])

    said, truth = logits(teacher, pieces), logits(teacher, test).double().log_softmax(-1)
    y = torch.from_numpy(test.y)

    def taught(side, amount, lr, without=False, begin=None, steps=STEPS, stop=None):
        torch.manual_seed(seed)
        student = copy.deepcopy(begin) if begin else models.Transformer(STUDENT)
        now, curve, kept, rows = {}, [], [], np.arange(amount)
        order = data.shuffled(data.Batch(rows, rows, rows), ROWS, seed)

        def batches(step):
            chosen = order(step).x
            batch = pieces.rows(chosen)
            weight = batch.weight * (batch.y != word) if without else batch.weight
            now["t"] = said[torch.from_numpy(chosen)][torch.from_numpy(weight > 0)]
            return batch._replace(weight=weight)

        def watch(step, model):
            if step == stop:
                kept.append(copy.deepcopy(model))
            if seed >= JUDGES and step and step % EVERY == 0:
                curve.append(training.evaluate(model, test))

        recipe = training.Recipe(steps=steps, lr=lr, warmup=20)
        training.train(student, batches, recipe, loss=lambda z, y: LOSSES[side](z, y, now["t"]), watch=watch)
        if seed >= JUDGES:
            return [*curve, training.evaluate(student, test)]
        return kept[0] if kept else student

    def judged(model, read_at=1.0):  # a temperature that divides the student's logits after training
        log_q = (logits(model, test).double() / read_at).log_softmax(-1)
        p, q, at = truth.exp(), log_q.exp(), y == word
        first = (log_q.argmax(-1) == word)[at]
        return {
            "loss": float(-log_q.gather(-1, y[..., None]).mean()),
            "misses": float(-(p * log_q).sum(-1).mean()),  # the teacher's words under the student
            "invents": float(-(q * truth).sum(-1).mean()),  # the student's words under the teacher
            "entropy": float(-(q * log_q).sum(-1).mean()),
            "the, where it comes": float(q[..., word][at].mean()),
            "the, elsewhere": float(q[..., word][~at].mean()),
            "the is first": float(first.double().mean()),
        }

    if seed >= JUDGES:
        side = list(BEST)[seed - JUDGES]
        return {f"{side} {n}": [taught(side, n, lr) for lr in RATES] for n in AMOUNTS}
    found = {"base": judged(teacher)}
    for n in AMOUNTS:
        for side, lr in BEST.items():
            student = taught(side, n, lr, stop=STOPS.get((side, n)))
            found[f"{side} {n}"] = judged(student)
    for side, lr in BEST.items():
        found[f"{side}, no the"] = judged(taught(side, AMOUNTS[-1], lr, without=True))
    for side in ("mixed", "mixed, T = 1", "mixed, no T^2"):
        found[f"{side}, no the"] = judged(taught(side, AMOUNTS[-1], BEST["labels"], without=True))
    found["teacher, rate of labels"] = judged(taught("teacher", AMOUNTS[-1], BEST["labels"]))
    found["drawn"] = judged(taught("drawn", AMOUNTS[-1], BEST["labels"]))
    for side in ("teacher", "jsd", "reverse"):
        later = taught(side, AMOUNTS[-1], 3e-3, begin=student, steps=MORE)
        found[f"then {side}"] = judged(later)
        if side == "teacher":
            for warmth in READ_AT:
                found[f"then {side}, read at {warmth}"] = judged(later, warmth)
    return found
