"""What the model has become like, step by step: 5 seeds (other pages, other weights, other batches), with controls."""

import numpy as np
import torch

from lessons_lib import bridge, data, models, training

SEEDS = range(5)
STEPS = (*range(0, 60, 3), *range(60, 120, 10), *range(120, 320, 20), 319)
TEST_ROWS = 48
V, CONTEXT = 512, 64


class Nothing(torch.nn.Module):
    """In the place of attention: adds 0, so that a position sees its own token alone."""

    def forward(self, x):
        return torch.zeros_like(x)


def tables(ids):
    """The probability of each token, and that of each token after each; 10 tokens of the shorter table are mixed in."""
    n = np.zeros((V, V))
    np.add.at(n, (ids[:-1], ids[1:]), 1)
    f = (n.sum(0) + 1) / (n.sum() + V)
    return f, (n + 10 * f) / (n.sum(1, keepdims=True) + 10)


def triples(ids, held_out, q, extra=10):
    """The loss of a table of triples on the held-out text, `extra` tokens of the table of pairs mixed in."""
    first, key = np.unique(ids[:-1] * V + ids[1:], return_counts=True), held_out[:-2] * V + held_out[1:-1]
    whole = np.unique((ids[:-2] * V + ids[1:-1]) * V + ids[2:], return_counts=True)

    def count(table, wanted):
        at = np.minimum(np.searchsorted(table[0], wanted), len(table[0]) - 1)
        return np.where(table[0][at] == wanted, table[1][at], 0)

    seen, both = count(first, key), count(whole, key * V + held_out[2:])
    return float(-np.log((both + extra * q[held_out[1:-1], held_out[2:]]) / (seen + extra)).mean())


def course(ids, held_out, f, q, seed, blind=False, frozen=False, pull=False, rows=16, lr=3e-3, warmup=50, steps=110):
    """At each of STEPS: the loss on the held-out text, also from the last token alone; the distances to the tables.

    All in nats. pull: also the gradient norm of the embedding, and of each attention and MLP.
    """
    torch.manual_seed(seed)
    model = models.Transformer(models.Config())
    for layer in model.layers:
        if blind:
            layer.self_attn = Nothing()
        if frozen:
            layer.requires_grad_(False)
    parts = model.embed_tokens, *(part for b in model.layers for part in (b.self_attn, b.mlp))
    test = data.in_order(held_out, CONTEXT, TEST_ROWS)
    x, y = map(torch.from_numpy, test[:2])
    log_f, log_q = torch.tensor(np.log(f)).float(), torch.tensor(np.log(q)).float()[x]
    found = {"step": [], "loss": [], "from_last": [], "to_frequencies": [], "to_pairs": []}
    if pull:
        found["pull"] = []

    @torch.no_grad()
    def watch(step, model):
        if step in STEPS:
            log_p = torch.log_softmax(model(x), -1)
            found["step"].append(step)
            found["loss"].append(round(-log_p.gather(-1, y[..., None]).mean().item(), 4))
            last = torch.log_softmax(model(torch.arange(V)[:, None])[:, 0], -1)  # after each token alone
            found["from_last"].append(round(-last[x, y].mean().item(), 4))
            if pull:
                squares = ([(p.grad**2).sum() for p in part.parameters()] for part in parts)
                found["pull"].append([round(float(sum(part)) ** 0.5, 4) for part in squares])
            for name, other in (("to_frequencies", log_f), ("to_pairs", log_q)):
                found[name].append(round((log_p.exp() * (log_p - other)).sum(-1).mean().item(), 4))

    recipe = training.Recipe(steps=steps, lr=lr, warmup=warmup, lr_end=1)
    training.train(model, data.windows(ids, CONTEXT, rows, seed), recipe, watch=watch)
    return found


def run(seed):
    bridge.start("cpu", seed)
    text = data.corpus(seed=seed)
    tokenizer = data.bpe(text.train)
    ids, held_out = (data.encode(tokenizer, part) for part in text[:2])
    f, q = tables(ids)
    test = data.in_order(held_out, CONTEXT, TEST_ROWS)
    levels = {
        "frequencies": float(-np.log(f[test.y]).mean()),
        "pairs": float(-np.log(q[test.x, test.y]).mean()),
        "triples": triples(ids, held_out[: TEST_ROWS * CONTEXT + 1], q),
    }
    given = ids, held_out, f, q, seed
    return {
        "levels": levels,
        "whole": course(*given, pull=True, steps=320),
        "no attention": course(*given, blind=True, steps=320),
        "embedding alone": course(*given, frozen=True),
        "no warm-up": course(*given, warmup=1),
        "a third of the rate": course(*given, lr=1e-3),
        "half the rows": course(*given, rows=8),
    }
