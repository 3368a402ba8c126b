"""Five loops, each healthy or with one bug, at three learning rates: where their losses end."""

import numpy as np
import torch

from lessons_lib import data, models
from lessons_lib.training import Recipe, evaluate, optimizers_for, token_loss

SEEDS = range(5)
BUGS = ("healthy", "labels", "softmax", "schedule", "zero_grad")
RATES = (1e-3, 3e-3, 1e-2)
STEPS, EPOCH = 150, 50


def train(ids, bug: str, lr: float, seed: int, clip: float = float("inf")):
    """The model, and of each update the loss and the norm of the gradient before it is clipped."""
    torch.manual_seed(seed)
    model, recipe = models.Transformer(models.Config(num_hidden_layers=1)), Recipe(steps=STEPS, lr=lr)
    (optimizer,) = optimizers_for(model, recipe)
    batches, losses, norms = data.windows(ids, 64, 8, seed), [], []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = lr * recipe.factor(step // EPOCH if bug == "schedule" else step)
        x, y, _ = map(torch.from_numpy, batches(step))
        logits = model(x).flatten(0, 1)
        if bug == "softmax":
            logits = logits.softmax(-1)
        loss = token_loss(logits, (x if bug == "labels" else y).flatten()).mean()
        if bug != "zero_grad":
            optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), clip)))
        optimizer.step()
        losses.append(loss.item())
    return model, losses, norms


def run(seed: int) -> dict:
    text = data.corpus(seed=seed)
    tokenizer = data.bpe(text.train)
    ids = data.encode(tokenizer, text.train)
    test = data.in_order(data.encode(tokenizer, text.validation), 64, 40)
    found = {}
    cases = [(bug, lr, float("inf")) for bug in BUGS for lr in RATES]
    for bug, lr, clip in [*cases, *(("zero_grad", lr, 1.0) for lr in RATES)]:
        model, losses, norms = train(ids, bug, lr, seed, clip)
        found[f"{bug}{' clipped' if clip == 1 else ''} {lr:g}"] = [
            losses[0],
            min(losses),
            float(np.mean(losses[-10:])),
            float(np.mean(norms[-10:])) / norms[0],
            evaluate(model, test),
        ]
    return found
