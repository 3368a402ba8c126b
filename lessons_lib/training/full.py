"""The same training at the size of one GPU: ten million parameters, the whole standard library, bfloat16."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import torch

from ..data import bpe, encode, in_order, windows
from ..data.library import library
from ..models import Config, Transformer, generate, parameter_count
from ..parity.record import newest_record
from ..provenance import code, digest
from ..show import Table
from .loop import evaluate, train
from .recipe import Recipe

CONFIG = Config(
    vocab_size=4096,
    hidden_size=384,
    intermediate_size=1024,
    num_hidden_layers=6,
    num_attention_heads=6,
    num_key_value_heads=2,
    max_position_embeddings=512,
)
RECIPE = Recipe(steps=1000, lr=1e-3, warmup=100, evaluate_every=100)
ROWS = 64  # of 512 tokens: 32 768 tokens a step


def full(
    device: str = "cuda", config: Config = CONFIG, recipe: Recipe = RECIPE, rows: int = ROWS, seed: int = 0
) -> dict[str, Any]:
    """What the run found, as plain numbers: losses, samples, tokens per second, the most memory it took.

    The time is that of the whole loop, evaluations included. Compare it only with runs on the same device.
    """
    torch.manual_seed(seed)
    text = library(seed)
    tokenizer = bpe(text.train, config.vocab_size)
    ids, held_out, shifted = (encode(tokenizer, part) for part in text)
    context = config.max_position_embeddings
    model = Transformer(config).to(device)
    validation = in_order(held_out, context, 128)
    cuda = torch.device(device).type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    begin = time.perf_counter()
    history = train(model, windows(ids, context, rows, seed), recipe, validation=validation)
    seconds = time.perf_counter() - begin  # the loop reads each loss, so that nothing is under way any more
    prompt = "def mean(numbers):\n"
    sample = generate(model, encode(tokenizer, prompt), 60, temperature=0.7, seed=seed)
    return {
        "parameters": parameter_count(model),
        "config": asdict(config),
        "recipe": asdict(recipe),
        "rows": rows,
        "text": [len(part) for part in text],
        "tokens": sum(history.tokens),
        "loss": [round(x, 4) for x in history.loss[:: max(1, recipe.steps // 200)]],
        "validation": [[step, round(x, 4)] for step, x in history.validation],
        "shifted": round(evaluate(model, in_order(shifted, context, 128)), 4),
        "seconds": round(seconds, 2),
        "tokens_per_second": round(sum(history.tokens) / seconds),
        "peak_bytes": torch.cuda.max_memory_allocated(device) if cuda else None,
        "source": source_hash(),
        "sample": tokenizer.decode(sample.tolist(), skip_special_tokens=False),
    }


def source_hash() -> str:
    """Of the code that decides what the run finds."""
    return digest(sorted(code([full])))


def recorded() -> Table:
    """The newest recorded run on a GPU, with device and versions; where there is none, what it would be."""
    record = newest_record()
    found = (record or {}).get("training")
    if not record or not found:
        note = "No run on a GPU is recorded yet: `make gpu-record` on a machine with CUDA makes one."
        return Table(["planned", ""], [["parameters", "about 11 million"], ["tokens a step", ROWS * 512]], note)
    (first, early), (last, late) = found["validation"][0], found["validation"][-1]
    rows = [
        ["parameters", found["parameters"]],
        ["tokens read", found["tokens"]],
        ["tokens per second", found["tokens_per_second"]],
        ["most memory (GB)", found["peak_bytes"] / 1e9],
        [f"validation loss after {first} steps", early],
        [f"validation loss after {last} steps", late],
        ["loss on docstrings", found["shifted"]],
    ]
    state = "by the code that stands here" if found["source"] == source_hash() else "STALE: the code has changed since"
    note = f"{record['device']}, torch {record['torch']}, CUDA {record['cuda']}, {record['date']}; {state}."
    return Table(["one run, one seed", ""], rows, note)
