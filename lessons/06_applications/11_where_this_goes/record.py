"""Six sizes of a small language model, each at its own rate; seed 100 is the one on which the rates were chosen."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from lessons_lib import bridge, data, models, training

SEEDS = [0, 1, 2, 3, 4, 100]
WIDTHS = [4, 8, 16, 32, 64, 128]
TRIED = [0.02, 0.04, 0.08, 0.16, 0.32]  # each times sqrt(8 / width)
CHOSEN = [0.08, 0.16, 0.08, 0.08, 0.08, 0.04]  # with the lowest loss on held-out text, seed 100
STEPS = 300


class Window(nn.Module):
    """Predicts a token from the three before it."""

    def __init__(self, width):
        super().__init__()
        self.config = SimpleNamespace(vocab_size=512)
        self.embed = nn.Embedding(512, width)
        self.hidden = nn.Linear(3 * width, 2 * width)
        self.head = nn.Linear(2 * width, 512)

    def forward(self, tokens):
        e = nn.functional.pad(self.embed(tokens), (0, 0, 2, 0))
        three = torch.cat([e[:, k : k + tokens.shape[1]] for k in range(3)], -1)
        return self.head(torch.relu(self.hidden(three)))


def run(seed):
    """For each width: the parameters, the loss on held-out text, and that of the last 20 steps, in nats per token."""
    bridge.start("cpu", seed)
    _, tokenizer, _ = models.pretrained()
    text = data.corpus(seed=0)
    ids = data.encode(tokenizer, text.train)
    held_out = data.in_order(data.encode(tokenizer, text.validation), 64)

    def trained(width, factor):
        torch.manual_seed(seed)
        model = Window(width)
        recipe = training.Recipe(steps=STEPS, lr=factor * (8 / width) ** 0.5)
        history = training.train(model, data.windows(ids, 64, 8, seed), recipe)
        return [models.parameter_count(model), training.evaluate(model, held_out), float(np.mean(history.loss[-20:]))]

    if seed == 100:
        return {"tried": [[trained(width, factor)[1] for factor in TRIED] for width in WIDTHS]}
    found = np.array([trained(width, factor) for width, factor in zip(WIDTHS, CHOSEN, strict=True)])
    return dict(zip(("parameters", "held out", "training"), found.T.tolist(), strict=True))
