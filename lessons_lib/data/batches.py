"""What a language model is trained on: rows of tokens, the token that follows each, and whether it counts.

A batch depends on the seed and on the number of the step, on nothing else: a run that goes on later gets the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from ..core.options import whole
from .corpus import held_out
from .python_code import Function, functions
from .tokens import END


class Batch(NamedTuple):
    """x: tokens (rows, context); y: the token that follows each; weight: 1 where its loss counts, 0 where not."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def rows(self, chosen) -> Batch:
        return Batch(*(a[chosen] for a in self))


Batches = Callable[[int], Batch]


def windows(ids: np.ndarray, context: int, rows: int, seed: int = 0) -> Batches:
    """For each step `rows` pieces of a text, each of `context` tokens, from places drawn by the seed and the step.

    Raises ValueError where the text is shorter than one context and the token after it.
    """
    whole(least=1, context=context, rows=rows)
    last = len(ids) - context
    if last < 1:
        raise ValueError(f"ids holds {len(ids)} tokens; context={context} needs at least {context + 1}")

    def batch(step: int) -> Batch:
        starts = np.random.default_rng([seed, step]).integers(last, size=rows)
        return _shifted(ids[starts[:, None] + np.arange(context + 1)])

    return batch


def in_order(ids: np.ndarray, context: int, most: int | None = None) -> Batch:
    """A text once, from its beginning, as one batch of pieces that do not overlap; at most `most` of them."""
    whole(least=1, context=context)
    rows = (len(ids) - 1) // context
    if rows < 1:
        raise ValueError(f"ids holds {len(ids)} tokens; context={context} needs at least {context + 1}")
    return _shifted(ids[np.arange(rows)[:most, None] * context + np.arange(context + 1)])


class Example(NamedTuple):
    """Tokens of a prompt, and of the answer that is to follow it."""

    prompt: np.ndarray
    answer: np.ndarray


def docstring_task(tokenizer: Tokenizer, seed: int = 0, packages: bool = False) -> tuple[list[Example], list[Example]]:
    """Real functions of Python's library: the signature is the prompt, the docstring's first line the answer.

    Four fifths of the modules to train, one fifth to validate, drawn by the seed; an answer of the training part is
    left out of the validation part.
    """
    found = functions(packages)
    train = [f for f in found if not held_out(f.module, 5, seed)]
    known = {f.summary for f in train}
    test = [f for f in found if held_out(f.module, 5, seed) and f.summary not in known]
    return _examples(tokenizer, train), _examples(tokenizer, test)


def _examples(tokenizer: Tokenizer, found: Sequence[Function]) -> list[Example]:
    prompts = tokenizer.encode_batch_fast([f"{f.signature}:\n" for f in found])
    answers = tokenizer.encode_batch_fast([f.summary + END for f in found])
    return [Example(np.array(p.ids), np.array(a.ids)) for p, a in zip(prompts, answers, strict=True)]


def answers(examples: Sequence[Example], context: int, mask_prompt: bool = True) -> Batch:
    """One row per example that fits into the context; 0 fills the rest. Only the answer's tokens count.

    mask_prompt=False: the prompt's tokens count too. Raises ValueError where no example fits.
    """
    whole(least=1, context=context)
    fitting = [e for e in examples if 1 < len(e.prompt) + len(e.answer) <= context + 1]
    if not fitting:
        raise ValueError(f"examples: none of {len(examples)} fits into context={context}")
    tokens = np.zeros((len(fitting), context + 1), dtype=np.int64)
    counts = np.zeros_like(tokens, dtype=np.float32)
    for row, (prompt, answer) in enumerate(fitting):
        end = len(prompt) + len(answer)
        tokens[row, :end] = np.concatenate([prompt, answer])
        counts[row, len(prompt) if mask_prompt else 0 : end] = 1
    return Batch(*_shifted(tokens)[:2], counts[:, 1:])


def shuffled(whole_set: Batch, rows: int, seed: int = 0) -> Batches:
    """For each step the next `rows` rows; every pass over the set is in an order of its own, drawn by the seed.

    Raises ValueError where the set has fewer rows.
    """
    whole(least=1, rows=rows)
    per_pass = len(whole_set.x) // rows
    if per_pass < 1:
        raise ValueError(f"the set has {len(whole_set.x)} rows; rows={rows} is more")

    def batch(step: int) -> Batch:
        number, place = divmod(step, per_pass)
        order = np.random.default_rng([seed, number]).permutation(len(whole_set.x))
        return whole_set.rows(order[place * rows : (place + 1) * rows])

    return batch


def _shifted(tokens: np.ndarray) -> Batch:
    return Batch(tokens[:, :-1], tokens[:, 1:], np.ones(tokens[:, 1:].shape, dtype=np.float32))
