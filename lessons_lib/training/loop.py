"""The loop that trains a language model, and what it is judged by."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import nn
from tqdm import tqdm

from ..bridge import as_autograd
from ..data import Batch, Batches
from ..losses import cross_entropy
from ..models.transformer import at_least_float32
from .checkpoint import Checkpoint
from .recipe import Recipe, optimizers_for

token_loss = as_autograd(cross_entropy)


class History(NamedTuple):
    """Per update: loss (nats per token that counts), norm of the gradient before clipping, rate, tokens that counted.

    validation: pairs of the number of updates done and the loss after them.
    """

    loss: list[float]
    norm: list[float]
    lr: list[float]
    tokens: list[int]
    validation: list[list[float]]


class Share(NamedTuple):
    """Which part of every batch this process has, of how many."""

    rank: int = 0
    world: int = 1


ALONE = Share()


def train(
    model: nn.Module,
    batches: Batches,
    recipe: Recipe,
    *,
    optimizers: Sequence[torch.optim.Optimizer] = (),
    loss: Callable = token_loss,
    validation: Batch | None = None,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[int, nn.Module], Any] | None = None,
    share: Share = ALONE,
) -> History:
    """Train the model in place, from where the checkpoint stands, and return what happened at each update.

    optimizers: `optimizers_for(model, recipe)` by default; each group's rate follows the recipe's schedule.
    loss: of each token, from logits (n, vocab_size) and labels (n,); ours by default, F.cross_entropy(...,
    reduction="none") fits too. watch(step, model) is called before each update, when the gradients are there.
    Interrupted, it goes on from the last checkpoint to the same result: equal to the last bit on the CPU.
    Raises ValueError on tokens outside the vocabulary, on a batch in which no token counts and on an optimizer of
    other or frozen parameters; FloatingPointError, before the update, where loss or gradient are not finite.
    """
    optimizers = list(optimizers) or optimizers_for(model, recipe)
    trained = [p for group in _groups(optimizers) for p in group["params"]]
    _check_owner(model, trained)
    for group in _groups(optimizers):
        group.setdefault("initial_lr", group["lr"])
    history = History([], [], [], [], [])
    if checkpoint:
        history = checkpoint.resume(model, optimizers, recipe, batches(0), history)
    groups = _groups(optimizers)  # a checkpoint brings new ones
    model.train()
    with _bar(recipe.steps, len(history.loss), share) as bar:
        for step in range(len(history.loss), recipe.steps):
            for group in groups:
                group["lr"] = group["initial_lr"] * recipe.factor(step)
            model.zero_grad()
            batch = batches(step)
            value = _gradient(model, batch, loss, recipe.accumulate, share, step)
            norm = float(_whole(nn.utils.clip_grad_norm_(trained, recipe.clip)))
            _check_finite(value, norm, step, groups[0]["lr"])
            if watch:
                watch(step, model)
            for optimizer in optimizers:
                optimizer.step()
            counted = int(batch.weight.sum())
            history.loss.append(value)
            history.norm.append(norm)
            history.lr.append(groups[0]["lr"])
            history.tokens.append(counted)
            done = step + 1
            if validation and (done % recipe.evaluate_every == 0 or done == recipe.steps):
                history.validation.append([done, evaluate(model, validation, loss)])
                model.train()
            if checkpoint and (done % recipe.save_every == 0 or done == recipe.steps):
                checkpoint.save(model, optimizers, history)
            bar.told(value, counted)
    return history


def _gradient(model, batch: Batch, loss, parts: int, share: Share, step: int) -> float:
    """The mean loss over the tokens that count, its gradient in the parameters.

    Every part is divided by the tokens of the whole batch, so that a token counts the same wherever it stands.
    """
    _check_tokens(model, batch, step)
    total, value = float(batch.weight.sum()), 0.0
    mine = batch.rows(slice(share.rank, None, share.world))
    for part in range(parts):
        rows = mine.rows(slice(part, None, parts))
        if not len(rows.x):
            raise ValueError(f"a batch of {len(batch.x)} rows cannot be cut into {share.world * parts} parts")
        sync = nullcontext() if part == parts - 1 or not hasattr(model, "no_sync") else model.no_sync()
        with sync:
            mean = _sum(model, rows, loss) / total
            (mean * share.world).backward()  # the engines average over the processes
        value += mean.item()
    if share.world > 1:
        shared = torch.tensor(value, dtype=torch.float64, device=mean.device)
        torch.distributed.all_reduce(shared)
        value = shared.item()
    return value


def _sum(model, batch: Batch, loss):
    """The losses of the tokens that count, added up."""
    device = next(model.parameters()).device
    x, y, weight = (torch.from_numpy(a).to(device) for a in batch)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda" and torch.cuda.is_bf16_supported()):
        logits = model(x)
    counts = weight > 0  # the others are not even computed
    return (loss(at_least_float32(logits[counts]), y[counts]) * weight[counts]).sum()


@torch.no_grad()
def evaluate(model: nn.Module, batch: Batch, loss: Callable = token_loss, rows: int = 32) -> float:
    """The mean loss of the tokens that count, in nats; its exponential is the perplexity. `rows` at a time."""
    total = float(batch.weight.sum())
    if not total:
        raise ValueError("batch.weight is 0 everywhere: no token counts")
    model.eval()
    cuts = range(0, len(batch.x), rows)
    return sum(_sum(model, batch.rows(slice(i, i + rows)), loss).item() for i in cuts) / total


def _groups(optimizers) -> list[dict[str, Any]]:
    return [group for optimizer in optimizers for group in optimizer.param_groups]


def _whole(norm):
    """The number itself, where a model is spread over processes."""
    return norm.full_tensor() if hasattr(norm, "full_tensor") else norm


def _check_owner(model, trained) -> None:
    own = {id(p) for p in model.parameters() if p.requires_grad}
    strangers = sum(id(p) not in own for p in trained)
    if strangers:
        raise ValueError(
            f"optimizers have {strangers} parameters that the model does not have, or that it keeps frozen: they would "
            "train nothing. Build them last, after fully_shard, add_lora or a move to another model"
        )


def _check_finite(value: float, norm: float, step: int, lr: float) -> None:
    if not (math.isfinite(value) and math.isfinite(norm)):
        raise FloatingPointError(
            f"the run diverged: loss {value:.4g}, gradient norm {norm:.4g} in step {step} at lr={lr:.2g}. Lower the "
            "rate, lengthen the warm-up, or look at this batch; the parameters are those before this step"
        )


def _check_tokens(model, batch: Batch, step: int) -> None:
    size = getattr(model, "module", model).config.vocab_size  # DDP keeps the model inside
    if batch.x.min() < 0 or max(batch.x.max(), batch.y.max()) >= size or batch.y.min() < 0:
        raise ValueError(f"batch {step} has a token outside 0..{size - 1}, the model's vocabulary")
    if not batch.weight.any():
        raise ValueError(f"batch {step} has no token that counts: its weight is 0 everywhere")


class _bar(tqdm):
    """A progress bar with loss and tokens per second, where somebody watches."""

    def __init__(self, steps: int, done: int, share: Share):
        watched = sys.stderr.isatty() or "ipykernel" in sys.modules
        off = share.rank or not watched or os.environ.get("LESSONS_PROGRESS") == "off"
        super().__init__(total=steps, initial=done, unit="step", disable=bool(off), leave=False)
        self.tokens, self.begin = 0, time.perf_counter()

    def told(self, loss: float, tokens: int) -> None:
        self.tokens += tokens
        rate = self.tokens / (time.perf_counter() - self.begin)
        self.set_postfix_str(f"loss {loss:.3f}, {rate:,.0f} tokens/s", refresh=False)
        self.update()
