"""How long the answers become under two means of one loss, and whether the prompt should count, for two tasks."""

import copy

import numpy as np
import torch

from lessons_lib import bridge, data, models, training

SEEDS = range(5)
CONTEXT, FEW, MOST = 64, 64, 42  # MOST: where an answer that does not end is cut
RATES = {"means": [1e-3, 3e-3], "masks": [3e-4, 1e-3, 3e-3, 1e-2]}


def run(seed):
    """Losses in nats per token of new answers, lengths in tokens, END included; a list has a number for every rate."""
    bridge.start("cpu", seed)
    base, tokenizer, _ = models.pretrained()
    train, test = data.docstring_task(tokenizer, seed)

    def name_of(example):
        return tokenizer.decode(example.prompt.tolist())[4:].split("(")[0]

    def named(examples):  # the other way round: from the description to the name
        for e in examples:
            summary, name = tokenizer.decode(e.answer.tolist()), name_of(e)
            if not name.startswith("__"):
                prompt, answer = tokenizer.encode(f"{summary}\ndef "), tokenizer.encode(name + data.END)
                yield data.Example(np.array(prompt.ids), np.array(answer.ids))

    known = {name_of(e) for e in train}
    tasks = {
        "describe": (train, test),
        "name": ([*named(train)], [*named(e for e in test if name_of(e) not in known)]),
    }

    def trained(rows, lr, steps):
        model = copy.deepcopy(base)
        training.train(model, data.shuffled(rows, 8, seed), training.Recipe(steps=steps, lr=lr, warmup=10))
        return model

    new = data.answers(test, CONTEXT).rows(slice(None, None, 3))
    each_row = new._replace(weight=new.weight / new.weight.sum(1, keepdims=True))
    asked = [e for e in test if len(e.prompt) <= CONTEXT - MOST]

    @torch.no_grad()
    def lengths(model):  # of drawn answers
        draw, place = torch.Generator().manual_seed(seed), torch.tensor([len(e.prompt) for e in asked])
        x = torch.zeros(len(asked), CONTEXT, dtype=torch.int64)
        for row, e in zip(x, asked, strict=True):
            row[: len(e.prompt)] = torch.from_numpy(e.prompt)
        length, going = torch.zeros(len(asked), dtype=torch.int64), torch.arange(len(asked))
        for _ in range(MOST):
            logits = model(x[going])[torch.arange(len(going)), place[going] - 1]
            token = torch.multinomial(logits.softmax(-1), 1, generator=draw)[:, 0]
            x[going, place[going]] = token
            place[going] += 1
            length[going] += 1
            going = going[token != 0]
            if not len(going):
                break
        return length.tolist()

    whole = data.answers(train, CONTEXT)
    by_row = whole._replace(weight=whole.weight / whole.weight.sum(1, keepdims=True))
    found = {
        "training lengths": [int(n) for n in whole.weight.sum(1)],
        "lengths, real": [min(len(e.answer), MOST) for e in asked],
    }
    for mean, rows in (("token mean", whole), ("sequence mean", by_row)):
        ends = [trained(rows, lr, 160) for lr in RATES["means"]]
        found[mean] = [[training.evaluate(m, judge) for judge in (new, each_row)] for m in ends]
        found[f"lengths, {mean}"] = [lengths(m) for m in ends]
    for task, many in (("describe", False), ("name", False), ("name", True)):
        examples = tasks[task][0][: None if many else FEW]
        judge = data.answers(tasks[task][1], CONTEXT).rows(slice(0, 120))
        masked, counted = (data.answers(examples, CONTEXT, mask) for mask in (True, False))
        where = f"{task}, {'all' if many else 'few'}"
        found[f"{where}: share of the prompt"] = float(1 - masked.weight.sum() / counted.weight.sum())
        for how, rows in (("masked", masked), ("counted", counted)):
            found[f"{where}: {how}"] = [
                training.evaluate(trained(rows, lr, 60), judge) for lr in RATES["masks"]
            ]
    found["examples"] = [len(part) for pair in tasks.values() for part in pair]
    return found
