"""The only door to torch: the device, a Rule as a torch optimizer, a Loss as an autograd function."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, NamedTuple

import torch

from .core import Loss, Rule, is_half

__all__ = ["Setting", "TorchOptimizer", "as_autograd", "device", "start"]

BLOCK = 2**16  # numbers per piece of a large parameter


def device(name: str = "auto") -> torch.device:
    """The device to work on: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:1".

    Raises ValueError on another name, or on a CUDA device that this machine lacks.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise ValueError(f"device={name!r} is unknown; use 'auto', 'cpu', 'cuda' or 'cuda:0'")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device={name!r} is not on this machine (CUDA devices: {torch.cuda.device_count()}); use 'cpu'"
        )
    return torch.device(name)


class Setting(NamedTuple):
    """What a lesson runs with: the device, and the seeds over which it repeats an experiment."""

    device: torch.device
    seeds: list[int]


def start(device_name: str = "auto", seed: int = 0, profile: str = "quick") -> Setting:
    """A lesson's first call: check its parameters, fix the threads and the seed. "quick" gives 5 seeds, "full" 20.

    Raises ValueError or TypeError naming the parameter and what is allowed.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise TypeError(f"seed={seed!r} is not allowed; it must be an integer >= 0")
    if profile not in ("quick", "full"):
        raise ValueError(f"profile={profile!r} is unknown; use 'quick' or 'full'")
    torch.set_num_threads(1)  # several notebooks at once would slow each other down, and sums depend on the threads
    torch.manual_seed(seed)
    return Setting(device(device_name), list(range(seed, seed + (5 if profile == "quick" else 20))))


def as_autograd(loss_fn):
    """`loss_fn` as a torch function whose backward pass uses our closed-form gradient.

    The result returns the values, one per example: call `.mean()` or `.sum()` on them, then `.backward()`.
    The inputs that the loss has gradients for are differentiated, once: a second derivative raises RuntimeError.
    PyTorch: torch.autograd.Function.
    """

    class Closed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *args):
            loss: Loss = loss_fn(*args)
            grads = loss.grad if isinstance(loss.grad, tuple) else (loss.grad,)
            ctx.save_for_backward(*grads)
            ctx.others = len(args) - len(grads)
            return loss.value

        @staticmethod
        def backward(ctx, *upstream):
            if torch.is_grad_enabled():  # a constant here would make second derivatives silently wrong
                raise RuntimeError("a closed-form gradient has no second derivative; drop create_graph=True")
            (up,) = upstream
            grads = (g * up.reshape(up.shape + (1,) * (g.ndim - up.ndim)) for g in ctx.saved_tensors)
            return *grads, *[None] * ctx.others

    return Closed.apply


def _blocks(rule: Rule, *arrays: torch.Tensor):
    """The arrays as they are, or cut alike into pieces that fit the processor's cache.

    A rule keeps a dozen temporaries alive; on the CPU, fresh memory for them costs more than the arithmetic.
    """
    if rule.elementwise and arrays[0].is_cpu and all(a.is_contiguous() for a in arrays):
        return zip(*(a.view(-1).split(BLOCK) for a in arrays), strict=True)
    return [arrays]


class TorchOptimizer(torch.optim.Optimizer):
    """Any Rule as a torch.optim.Optimizer: parameter groups, schedulers, state_dict, closures, zero_grad.

    Every hyperparameter of the rule is an option of the parameter groups, so a scheduler that sets
    group["lr"] works, and TorchOptimizer(AdamW(), [{"params": norms, "weight_decay": 0.0}, ...]) too.
    A parameter whose gradient is None is skipped: no decay, no step count. Raises TypeError on a sparse
    gradient and what the rule raises, ValueError when a scheduler hands over a learning rate below 0.
    """

    def __init__(self, rule: Rule, params):
        self.rule = rule
        self.state_type = type(rule.init(torch.zeros(1)))
        self.options = [f.name for f in fields(rule)]  # type: ignore[arg-type]
        super().__init__(params, {name: getattr(rule, name) for name in self.options})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rule = replace(self.rule, **{name: group[name] for name in self.options})  # type: ignore[type-var]
            for p in group["params"]:
                if p.grad is not None:
                    self._update(rule, p)
        return loss

    def _update(self, rule: Rule, p: torch.Tensor) -> None:
        if p.grad.is_sparse:
            raise TypeError("sparse gradients are not supported; build the embedding with sparse=False")
        if not self.state[p]:
            self.state[p] = rule.init(p)._asdict()
        state = self.state[p]
        arrays = [name for name, a in state.items() if torch.is_tensor(a)]
        for theta, g, *parts in _blocks(rule, p, p.grad, *(state[name] for name in arrays)):
            old = self.state_type(**{**state, **dict(zip(arrays, parts, strict=True))})
            new_theta, new = rule.update(theta, g, old)
            theta.copy_(new_theta)
            for name, part in zip(arrays, parts, strict=True):
                part.copy_(getattr(new, name))
        state.update({name: a for name, a in new._asdict().items() if name not in arrays})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state_dict(); unlike torch, the float32 state of a half-precision parameter stays float32."""
        super().load_state_dict(state_dict)
        saved = state_dict["state"]
        index = [i for g in state_dict["param_groups"] for i in g["params"]]
        for i, p in zip(index, (p for g in self.param_groups for p in g["params"]), strict=True):
            if is_half(p) and i in saved:
                self.state[p] = {k: a.to(p.device, copy=True) if torch.is_tensor(a) else a for k, a in saved[i].items()}
