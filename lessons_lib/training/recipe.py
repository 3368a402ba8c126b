from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from ..bridge import TorchOptimizer
from ..core import Rule
from ..core.options import at_least_0, fraction, limit_at_least_0, positive, whole
from ..optim import AdamW, Muon
from ..optim.schedules import warmup_cosine


@dataclass(frozen=True)
class Recipe:
    """How long, how fast and how carefully to train. Raises ValueError or TypeError on what is not allowed.

    steps: updates; lr: the highest rate, reached after `warmup` updates, from which it falls along a cosine to
    lr_end times it (other optimizers bring rates of their own, which rise and fall alike); clip: the largest norm of a
    gradient, inf for none; weight_decay: of the matrices; accumulate: into how many parts a batch is cut, which changes
    the memory and not the result; evaluate_every, save_every: in updates.
    """

    steps: int = 400
    lr: float = 3e-3
    warmup: int = 20
    lr_end: float = 0.1
    clip: float = 1.0
    weight_decay: float = 0.1
    accumulate: int = 1
    evaluate_every: int = 100
    save_every: int = 100

    def __post_init__(self):
        whole(least=1, steps=self.steps, accumulate=self.accumulate)
        whole(least=1, evaluate_every=self.evaluate_every, save_every=self.save_every)
        whole(most=self.steps - 1, warmup=self.warmup)
        positive(lr=self.lr)
        at_least_0(weight_decay=self.weight_decay)
        limit_at_least_0(clip=self.clip)
        if self.lr_end != 1:
            fraction(lr_end=self.lr_end)

    def factor(self, step: int) -> float:
        """By what the learning rates are multiplied in an update, counted from 0: up to 1, then down to lr_end."""
        return warmup_cosine(step + 1, self.warmup, self.steps, 1.0, self.lr_end)


def optimizers_for(model: nn.Module, recipe: Recipe, rule: Rule | None = None) -> list[TorchOptimizer]:
    """The rule on everything that can be trained, by default AdamW with beta2 = 0.95; no decay on norms and biases.

    A matrix decays, a vector does not: pulling the weights of a norm towards 0 would shrink what it scales.
    Muon moves the matrices between two layers; the embedding and the vectors stay with AdamW at the recipe's rate.
    """
    adamw = AdamW(lr=recipe.lr, beta2=0.95, weight_decay=recipe.weight_decay)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not isinstance(rule, Muon):
        return [_grouped(rule or adamw, list(trained.values()))]
    inner = [p for name, p in trained.items() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in trained.items() if p.ndim != 2 or "embed" in name]
    return [_grouped(rule, inner), _grouped(adamw, others)]


def _grouped(rule: Any, parameters: list[nn.Parameter]) -> TorchOptimizer:
    matrices, vectors = ([p for p in parameters if (p.ndim > 1) is many] for many in (True, False))
    no_decay = {"weight_decay": 0.0} if hasattr(rule, "weight_decay") else {}
    groups: list[dict[str, Any]] = [{"params": matrices}, {"params": vectors, **no_decay}]
    return TorchOptimizer(rule, [group for group in groups if group["params"]])
