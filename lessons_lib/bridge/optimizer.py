"""Any Rule as a torch.optim.Optimizer."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import is_dataclass
from typing import Any

import torch

from ..core import Rule
from .hyperparameters import fold_betas, is_plain, options, plain, title, with_options
from .nests import leaves, names_of, of_leaves
from .sharded import is_sharded, seen, spread

__all__ = ["TorchOptimizer"]

BLOCK = 2**16  # numbers per piece of a large parameter
OF_SCHEDULERS = {"initial_lr", "max_lr", "min_lr", "swa_lr", "max_momentum", "base_momentum"}  # what torch's keep there


class TorchOptimizer(torch.optim.Optimizer):
    """Any Rule as a torch.optim.Optimizer: parameter groups, schedulers, state_dict, hooks, closures, zero_grad.

    Every hyperparameter of the rule, and of a rule inside it, is an option of the parameter groups, so a scheduler that
    sets group["lr"] works, and TorchOptimizer(AdamW(), [{"params": norms, "weight_decay": 0.0}, ...]) too. beta1 and
    beta2 are torch's `betas` there. A parameter whose gradient is None is skipped: no decay, no step count.
    The state is the optimizer's own: a copy of what the rule's `init` returns, any nest of named tuples, dicts, lists,
    tensors and numbers, kept flat by name. It can be copied, pickled and loaded; a state_dict holds plain things only.
    Parameters that lie in pieces in several processes (fully_shard) are updated piece by piece where the rule allows
    it, and otherwise, as for Muon, whole; the state lies in pieces as they do.
    Raises before anything has moved, and names it: an unknown option, a value or a parameter that the rule refuses, a
    gradient that is sparse, the state_dict of another rule.
    """

    rule: Any  # a Rule, and a dataclass

    def __init__(self, rule: Rule, params):
        if isinstance(rule, type) or not is_dataclass(rule) or not hasattr(rule, "init") or not hasattr(rule, "update"):
            raise TypeError(f"rule={rule!r} is not allowed; it must be a rule with its hyperparameters: Adam(lr=1e-3)")
        self.rule = rule
        self._shells: dict = {}  # per parameter, its state with names in place of numbers
        super().__init__(params, {**options(rule), "rule": title(rule)})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        group = dict(param_group)
        fold_betas(group, self.defaults)
        unknown = sorted(group.keys() - self.defaults.keys() - OF_SCHEDULERS - {"params", "param_names"})
        if unknown:
            raise ValueError(f"group option {unknown[0]!r} is unknown; {self.rule} has {', '.join(self.defaults)}")
        super().add_param_group(group)
        try:
            group.update({name: plain(group[name]) for name in self.defaults})  # no two groups share a tensor lr
            if group["rule"] != self.defaults["rule"]:
                raise ValueError(f"group option rule={group['rule']!r} is not this optimizer's {self.defaults['rule']}")
            rule = self._rule(group)
            for i, p in enumerate(group["params"]):
                if not p.is_floating_point():
                    raise TypeError(f"params[{i}] must hold real floating point numbers, got {p.dtype}")
                _fresh(rule, p)
        except BaseException:
            self.param_groups.pop()
            raise

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        todo = [(rule, p) for rule, group in self._rules() for p in group["params"] if p.grad is not None]
        for _, p in todo:
            if p.grad.layout != torch.strided or not p.grad.is_floating_point():
                raise TypeError(
                    f"sparse gradients are not supported, nor integers, got {p.grad.layout} of {p.grad.dtype}; "
                    "build an embedding with sparse=False"
                )
        for rule, p in todo:
            self._own(rule, p)
        with ExitStack() as stack:
            for kind in {p.device.type for _, p in todo}:
                stack.enter_context(torch.autocast(kind, enabled=False))  # it would multiply matrices in 16 bits
            for rule, p in todo:
                self._move(rule, p)
        return loss

    def _rules(self):
        return [(self._rule(group), group) for group in self.param_groups]

    def _rule(self, group: dict[str, Any]):
        """The rule with a group's options. Raises what the rule raises, before any parameter has moved."""
        stray = [name for name in ("beta1", "beta2") if name in group and "betas" in self.defaults]
        if stray:
            raise ValueError(f"group option {stray[0]!r} is unknown; set group['betas'], as torch calls both")
        return with_options(self.rule, group)

    def _own(self, rule, p: torch.Tensor) -> None:
        """Make the state of a parameter that has none yet."""
        if p not in self.state or p not in self._shells:
            fresh, self._shells[p] = _fresh(rule, p)
            if p not in self.state:
                self.state[p] = fresh

    def _move(self, rule, p: torch.Tensor) -> None:
        shell = self._shells[p]
        theta, g = seen(rule, p.detach()), seen(rule, p.grad.detach())
        state = {name: seen(rule, a) for name, a in self.state[p].items()}
        arrays = {name: a for name, a in state.items() if torch.is_tensor(a)}
        if not _can_be_cut(rule, theta, g, state):
            moved, new = _update(rule, theta, g, state, shell)
            self.state[p] = {name: spread(rule, _apart(a, theta, g), theta, p) for name, a in new.items()}
            (p.detach() if is_sharded(p) else theta).copy_(spread(rule, moved, theta, p))
            return
        for part, g_part, *parts in zip(*(a.view(-1).split(BLOCK) for a in (theta, g, *arrays.values())), strict=True):
            old = dict(zip(arrays, parts, strict=True))
            moved, new = _update(rule, part, g_part, {**state, **old}, shell)
            safe = [_apart(a, part, g_part, *parts) for a in (moved, *(new[name] for name in arrays))]
            for own, a in zip((part, *parts), safe, strict=True):
                own.copy_(a)
        self.state[p].update({name: a for name, a in new.items() if name not in arrays})

    def state_dict(self) -> dict[str, Any]:
        """Of plain tensors, numbers and strings only: torch.load(..., weights_only=True) reads it."""
        saved = super().state_dict()
        saved["param_groups"] = [
            {name: plain(a) if name in self.defaults else a for name, a in group.items()}
            for group in saved["param_groups"]
        ]
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state_dict(); unlike torch, the float32 state of a half-precision parameter stays float32.

        Raises ValueError, before anything is loaded, on what was saved by another rule or for other parameters.
        """
        loaded: dict = {}
        last = self.register_load_state_dict_pre_hook(lambda _, given: loaded.update(self._checked(given)))
        first = self.register_load_state_dict_post_hook(lambda _: self.state.update(loaded), prepend=True)
        try:
            super().load_state_dict(state_dict)
        finally:
            last.remove()
            first.remove()

    def _checked(self, given) -> dict:
        """The state per parameter as saved, copied. Raises unless it is one of this rule and these parameters."""
        if not isinstance(given, dict) or not {"state", "param_groups"} <= given.keys():
            raise ValueError("state_dict must hold 'state' and 'param_groups', as an optimizer's does")
        loaded = {}
        for own, group in zip(self.param_groups, given["param_groups"], strict=False):  # torch compares the numbers
            if group.get("rule") != own["rule"]:
                raise ValueError(
                    f"state_dict was saved by {group.get('rule', 'no rule')}, this optimizer is {own['rule']}"
                )
            lacking = sorted(self.defaults.keys() - group.keys())
            if lacking:
                raise ValueError(f"state_dict lacks the group option {lacking[0]!r} of {self.rule}")
            rule = self._rule(group)
            for i, p in zip(group["params"], own["params"], strict=False):
                if i in given["state"]:
                    loaded[p] = _fitted(given["state"][i], _fresh(rule, p)[0], p, f"state_dict: state of parameter {i}")
        return loaded

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "rule": self.rule}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.defaults.pop("differentiable", None)  # torch adds it; no option of ours
        self._shells = {}


def _fresh(rule, p: torch.Tensor):
    """The state of a parameter before its first step, by name, and its shell."""
    with torch.no_grad():
        theta = seen(rule, p.detach())
        state = rule.init(theta)
    flat = leaves(state)
    for name, a in flat.items():
        if not is_plain(a):
            raise TypeError(f"state.{name} of {rule} is a {type(a).__name__}; it must be a tensor, a number or None")
    return {name: spread(rule, plain(a), theta, p) for name, a in flat.items()}, names_of(state)


def _update(rule, theta, g, state: dict[str, Any], shell):
    """One update of a parameter or a piece of it; the new state by name."""
    moved, new = rule.update(theta, g, of_leaves(shell, state))
    flat = leaves(new)
    if flat.keys() != state.keys() or moved.shape != theta.shape:
        raise ValueError(
            f"{rule} returned theta {tuple(moved.shape)} and a state of {list(flat)}; "
            f"it must return theta {tuple(theta.shape)} and {list(state)}, as its init does"
        )
    return moved, flat


def _can_be_cut(rule, theta, g, state) -> bool:
    """Whether pieces that fit the processor's cache are as good as the whole.

    A rule keeps a dozen temporaries alive; on the CPU, fresh memory for them costs more than the arithmetic.
    """
    arrays = [theta, g, *(a for a in state.values() if torch.is_tensor(a))]
    return (
        getattr(rule, "elementwise", False)
        and theta.is_cpu
        and theta.numel() > BLOCK
        and None not in state.values()
        and all(a.is_contiguous() and a.shape == theta.shape for a in arrays)
    )


def _apart(a, *others: torch.Tensor):
    """a, copied where it lies in memory that is about to be written to."""
    if not torch.is_tensor(a):
        return a
    taken = {b.untyped_storage().data_ptr() for b in others}
    return a.detach().clone() if a.untyped_storage().data_ptr() in taken else a.detach()


def _fitted(saved, fresh: dict[str, Any], p: torch.Tensor, title: str) -> dict[str, Any]:
    """A copy of a saved state, on p's device and in the types of a fresh one. Raises ValueError unless it is alike."""
    if not isinstance(saved, dict) or saved.keys() != fresh.keys():
        raise ValueError(f"{title} has {list(saved)}, it must have {list(fresh)}")
    fitted = dict(saved)
    for name, a in saved.items():
        like = fresh[name]
        if torch.is_tensor(a) and torch.is_tensor(like):
            if a.shape != like.shape:
                raise ValueError(f"{title} has {name} {tuple(a.shape)}, it must be {tuple(like.shape)}")
            fitted[name] = a.detach().to(p.device, like.dtype, copy=True)
        elif torch.is_tensor(a) and like is None:
            fitted[name] = a.detach().to(p.device, copy=True)
        elif None not in (a, like) and (torch.is_tensor(a) or torch.is_tensor(like)):
            raise ValueError(f"{title} has {name}={type(a).__name__}, it must be like {type(like).__name__}")
    return fitted
