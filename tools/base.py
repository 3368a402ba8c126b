"""Pre-train the small language model that comes with the course, on Python's own pages: about a minute and a half.

python -m tools.base

It is written when it is whole; an interrupted run leaves the old one.
"""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version

import torch
from tokenizers import Tokenizer

from lessons_lib import bridge, data, models, provenance, training
from lessons_lib.records import BASE
from tools import _command

SEED = 0
RECIPE = training.Recipe(steps=2500, warmup=50, evaluate_every=100)
ROWS = 16
MADE_BY = [models.Transformer, training.train, training.optimizers_for, data.corpus, data.bpe, data.windows]


def source_hash() -> str:
    """Of the code that decides what the model is."""
    return provenance.digest(sorted(provenance.code(list(MADE_BY))))


def make(recipe: training.Recipe = RECIPE) -> tuple[models.Transformer, Tokenizer, training.History]:
    bridge.start("cpu", SEED)
    text = data.corpus(seed=SEED)
    tokenizer = data.bpe(text.train)
    ids, held_out = data.encode(tokenizer, text.train), data.encode(tokenizer, text.validation)
    config = models.Config(vocab_size=tokenizer.get_vocab_size())
    torch.manual_seed(SEED)
    model = models.Transformer(config)
    context = config.max_position_embeddings
    history = training.train(
        model, data.windows(ids, context, ROWS, SEED), recipe, validation=data.in_order(held_out, context)
    )
    return model, tokenizer, history


def main() -> int:
    try:
        model, tokenizer, history = make()
    except KeyboardInterrupt:
        print("\ninterrupted; the old model stays")
        return 130
    models.save(
        BASE,
        model,
        tokenizer,
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        command="make base",
        python=platform.python_version(),
        torch=version("torch"),
        source=source_hash(),
        seed=SEED,
        steps=RECIPE.steps,
        tokens=sum(history.tokens),
        loss=[round(x, 4) for x in history.loss[::10]],
        validation=[[step, round(x, 4)] for step, x in history.validation],
    )
    print(f"{BASE.name}: validation loss {history.validation[-1][1]:.3f} nats per token")
    return 0


if __name__ == "__main__":
    _command.start()
    sys.exit(main())
