"""Low-rank adaptation: the weight stays, and two thin matrices learn what is added to it."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import nn

from ..core.options import positive, whole

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def adapted(x, w, a, b, scale: float):
    """x W^T + scale (x A^T) B^T, the layer W + scale B A without forming B A.

    x: (..., in), w: (out, in), a: (rank, in), b: (out, rank).   Source: Hu et al. 2022, equation 3.
    """
    return x @ w.T + scale * (x @ a.T) @ b.T


class LoRALinear(nn.Module):
    """A linear layer with `adapted` in its place: W is frozen, A and B are trained; scale = alpha / rank.

    B starts at 0, so the model starts as it was.
    Library: peft.LoraConfig(r=rank, lora_alpha=alpha).
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float):
        super().__init__()
        self.linear, self.scale = linear.requires_grad_(False), alpha / rank
        w = linear.weight
        self.A = nn.Parameter(torch.empty(rank, w.shape[1], device=w.device, dtype=w.dtype))
        self.B = nn.Parameter(torch.zeros(w.shape[0], rank, device=w.device, dtype=w.dtype))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # as peft does

    def forward(self, x):
        return adapted(x, self.linear.weight, self.A, self.B, self.scale)

    def delta(self):
        """(alpha / rank) B A (out, in): what is added to W."""
        return self.scale * self.B @ self.A


def add_lora(model: nn.Module, rank: int = 8, alpha: float = 16.0, names: Collection[str] = LINEAR) -> nn.Module:
    """The model, with its linear layers of these names adapted and everything else frozen; in place.

    Raises ValueError where no layer has one of the names, or where one is adapted already.
    Library: peft.get_peft_model.
    """
    whole(least=1, rank=rank)
    positive(alpha=alpha)
    if any(isinstance(m, LoRALinear) for m in model.modules()):
        raise ValueError("model is adapted already; merge_lora(model) first")
    found = [(m, name, child) for m in model.modules() for name, child in m.named_children() if name in names]
    found = [(m, name, child) for m, name, child in found if isinstance(child, nn.Linear)]
    if not found:
        raise ValueError(f"names={list(names)} are not in this model; LoRA adapts linear layers")
    model.requires_grad_(False)
    for parent, name, linear in found:
        setattr(parent, name, LoRALinear(linear, rank, alpha))
    return model


@torch.no_grad()
def merge_lora(model: nn.Module) -> nn.Module:
    """The model with W + (alpha / rank) B A in place of each adapted layer; in place. It computes the same, as fast as
    before, and every parameter can be trained again."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoRALinear):
                child.linear.weight += child.delta()
                setattr(parent, name, child.linear)
    return model.requires_grad_(True)
