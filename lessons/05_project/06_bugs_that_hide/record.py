"""Five fine-tunings of 150 steps for each seed, a sound one and four with a bug; once two twins of the base model."""

from pydoc_data.topics import topics

import numpy as np
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, models
from lessons_lib.bridge import TorchOptimizer
from lessons_lib.data.corpus import held_out
from lessons_lib.optim import AdamW
from lessons_lib.training import Recipe, evaluate, train

SEEDS = range(5)
RECIPE = Recipe(steps=150, lr=3e-3, warmup=10)


def kinds(batch):
    """Which labels are of an answer, which are END, which are padding."""
    answer = batch.weight > 0
    past = np.cumsum(answer, 1) == answer.sum(1, keepdims=True)
    return answer, answer & (batch.y == 0), past & ~answer


def weights(batch):
    answer, end, padding = kinds(batch)
    return {
        "sound": answer,
        "padding counted": answer | padding,
        "END ignored": answer & ~end,
        "mean of means": answer * (answer.sum() / len(answer) / answer.sum(1, keepdims=True)),
    }


def vectors(model):
    return [p for p in model.parameters() if p.ndim == 1]


def size_of_norms(model):
    return float(torch.cat(vectors(model)).detach().abs().mean())


@torch.no_grad()
def each_label(model, batch):
    """The loss of every label."""
    logits = torch.cat([model(torch.from_numpy(x)) for x in np.array_split(batch.x, 8)])
    return F.cross_entropy(logits.mT, torch.from_numpy(batch.y), reduction="none").numpy()


def twins(tokenizer):
    """The base model again, with its recipe and seed, and one change.

    clean: trained without the paragraphs that stand in the held-out pages, too. decayed: its norms decay as well.
    """
    bridge.start("cpu", 0)
    parts = {True: [], False: []}
    for name in sorted(topics):
        parts[held_out(name, 5, 0)] += topics[name].split("\n\n")
    known, tested = ({p.strip() for p in parts[part]} for part in (False, True))
    held = [p.strip() for p in parts[True]]
    tests = {"all": held, "known": [p for p in held if p in known], "new": [p for p in held if p not in known]}
    rows = {name: data.in_order(data.encode(tokenizer, "\n\n".join(text)), 64) for name, text in tests.items()}
    clean = "\n\n".join(p for p in parts[False] if p.strip() not in tested)
    recipe, found = Recipe(steps=2500, warmup=50), {}
    for twin, text, decay in (("clean", clean, 0.0), ("decayed", data.corpus().train, recipe.weight_decay)):
        torch.manual_seed(0)
        model = models.Transformer(models.Config(vocab_size=tokenizer.get_vocab_size()))
        batches = data.windows(data.encode(tokenizer, text), 64, 16, 0)
        train(model, batches, recipe, optimizers=[optimizer(model, recipe, decay)])
        found[twin] = {name: evaluate(model, batch) for name, batch in rows.items()} | {"norms": size_of_norms(model)}
    return found


def optimizer(model, recipe, decay):
    matrices = [p for p in model.parameters() if p.ndim > 1]
    groups = [{"params": matrices}, {"params": vectors(model), "weight_decay": decay}]
    return TorchOptimizer(AdamW(lr=recipe.lr, beta2=0.95, weight_decay=recipe.weight_decay), groups)


def run(seed):
    tokenizer, found = models.pretrained().tokenizer, {}
    learn, test = (data.answers(part, 64) for part in data.docstring_task(tokenizer, seed))
    answer, end, padding = kinds(test)
    long = answer.sum(1, keepdims=True) > np.median(answer.sum(1))
    parts = {
        "answer": answer,
        "answer and padding": answer | padding,
        "END": end,
        "words": answer & ~end,
        "short": answer & ~long,
        "long": answer & long,
    }
    for name, weight in {**weights(learn), "norms decay": learn.weight}.items():
        model = models.pretrained().model
        rule = optimizer(model, RECIPE, 4.0 if name == "norms decay" else 0.0)
        batches = data.shuffled(learn._replace(weight=weight.astype(np.float32)), 16, seed)
        history = train(model, batches, RECIPE, optimizers=[rule])
        losses = each_label(model, test)
        found[name] = {
            "curve": [round(loss, 4) for loss in history.loss],
            "norms": size_of_norms(model),
            **{part: float(losses[mask].mean()) for part, mask in parts.items()},
        }
    found["norms before"] = size_of_norms(models.pretrained().model)
    if seed == 0:
        found |= twins(tokenizer)
    return found
