"""All numbers, the 14 matrices, or an adapter of some rank: each at several rates, on the docstring task."""

import torch

from lessons_lib import data, models
from lessons_lib.training import Recipe, evaluate, train

SEEDS = range(5)
RATES = {
    "all numbers": (1e-3, 3e-3, 1e-2),
    "14 matrices": (1e-3, 3e-3, 1e-2),
    "rank 16": (3e-3, 1e-2, 3e-2),
    "rank 8": (3e-3, 1e-2, 3e-2),
    "rank 4": (3e-3, 5.5e-3, 1e-2, 1.8e-2, 3e-2),
    "rank 2": (3e-3, 1e-2, 3e-2),
    "rank 1": (3e-3, 1e-2, 3e-2),
}
CUTS = (0, 1, 2, 4, 8, 16, 32, 64)


def run(seed):
    saved = models.pretrained()
    old = data.in_order(data.encode(saved.tokenizer, data.corpus().validation), 64, 100)
    to_train, to_test = (data.answers(part, 64) for part in data.docstring_task(saved.tokenizer, seed))
    to_test = to_test.rows(slice(256))
    batches = data.shuffled(to_train, 8, seed)
    found, tuned = {"before": [evaluate(saved.model, to_test), evaluate(saved.model, old)]}, {}
    for name, rates in RATES.items():
        found[name] = []
        for lr in rates:
            torch.manual_seed(seed)
            model = adapted_model(name)
            train(model, batches, Recipe(150, lr, weight_decay=0.0))
            found[name].append([lr, evaluate(model, to_test), evaluate(model, old)])
            tuned[lr] = model
        if name == "14 matrices":
            found["cut"] = cuts(tuned[min(found[name], key=lambda point: point[1])[0]], to_test)
    return found


def adapted_model(name):
    """The pre-trained model, ready to train what the name says."""
    model = models.pretrained().model
    if name == "14 matrices":
        for key, p in model.named_parameters():
            p.requires_grad_("proj" in key)
    elif name.startswith("rank"):
        models.add_lora(model, int(name.split()[1]))
    return model


@torch.no_grad()
def cuts(tuned, to_test):
    """The task loss with the updates of all matrices cut at each rank."""
    base, model = models.pretrained().model, models.pretrained().model
    begin, end = (dict(m.named_parameters()) for m in (base, tuned))
    parts = {name: torch.linalg.svd(end[name] - begin[name], full_matrices=False) for name in begin if "proj" in name}
    found = []
    for rank in CUTS:
        for name, p in model.named_parameters():
            if name in parts:
                u, s, v = parts[name]
                p.copy_(begin[name] + (u[:, :rank] * s[:rank]) @ v[:rank])
        found.append([rank, evaluate(model, to_test)])
    return found
