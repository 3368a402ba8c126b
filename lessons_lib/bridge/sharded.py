"""Parameters that lie in pieces in several processes (torch's DTensor): what a rule sees of them, and back."""

from __future__ import annotations

from typing import Any


def is_sharded(a) -> bool:
    return hasattr(a, "full_tensor")


def seen(rule, a) -> Any:
    """What the rule sees: its process's piece, where no number looks at another one, and the whole array otherwise."""
    if not is_sharded(a):
        return a
    return a.to_local() if getattr(rule, "elementwise", False) else a.full_tensor()


def spread(rule, a, like, p) -> Any:
    """`a` in pieces as p is, where it has the shape of `like`, which is what the rule saw of p."""
    if not is_sharded(p) or getattr(a, "shape", None) != like.shape:
        return a
    from torch.distributed.tensor import DTensor, distribute_tensor  # a build without it has no such p

    if getattr(rule, "elementwise", False):
        return DTensor.from_local(a, p.device_mesh, p.placements, run_check=False, shape=p.shape, stride=p.stride())
    return distribute_tensor(a, p.device_mesh, p.placements, src_data_rank=None)  # every process has the whole


def init_state(optimizer) -> None:
    """Make the state of every parameter now, and not at its first step: to load a sharded checkpoint into."""
    for rule, group in optimizer._rules():
        for p in group["params"]:
            optimizer._own(rule, p)
