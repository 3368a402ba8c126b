"""A loss with a closed-form gradient as a torch function."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Any

import torch

from ..core import Loss


def as_autograd(loss_fn):
    """`loss_fn` as a torch function whose backward pass uses our closed-form gradient.

    The result returns the values, one per example: call `.mean()` or `.sum()` on them, then `.backward()`. The inputs
    that the loss has gradients for are differentiated, once: a second derivative raises RuntimeError. Any other input
    that requires a gradient raises ValueError at the call. Autocast changes nothing.
    PyTorch: torch.autograd.Function.
    """

    class Closed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, call, wanted, *tensors):
            with torch.autocast(tensors[0].device.type, enabled=False):
                loss: Loss = call(tensors)
            grads = call.gradients(loss.grad)
            for name in wanted:
                if name not in grads:
                    raise ValueError(
                        f"{call.title} has no gradient for {name}, which requires one; "
                        f"it has those for {', '.join(grads)}: hand over {name}.detach()"
                    )
            ctx.save_for_backward(*(grads.get(name) for name in call.tensors))
            ctx.shapes = [a.shape for a in tensors]
            return loss.value

        @staticmethod
        def backward(ctx, *upstream):
            if torch.is_grad_enabled():  # a constant here would make second derivatives silently wrong
                raise RuntimeError("a closed-form gradient has no second derivative; drop create_graph=True")
            (up,) = upstream
            return None, None, *(map(_chained, ctx.saved_tensors, ctx.shapes, [up] * len(ctx.shapes)))

    @wraps(loss_fn)
    def differentiable(*args, **kwargs):
        call = _Call(loss_fn, args, kwargs)
        if not call.tensors:
            raise TypeError(f"{call.title} must be given at least one tensor")
        wanted = [name for name, a in call.given.items() if torch.is_grad_enabled() and _requires_grad(a)]
        return Closed.apply(call, wanted, *call.tensors.values())

    return differentiable


class _Call:
    """One call of a loss: its inputs by name, in order, and which of them are tensors."""

    def __init__(self, loss_fn, args, kwargs):
        self.loss_fn, self.title = loss_fn, getattr(loss_fn, "__name__", "the loss")
        signature = inspect.signature(loss_fn)
        self.bound = signature.bind(*args, **kwargs)
        self.names = list(signature.parameters)
        self.given: dict[str, Any] = {}
        for name, value in self.bound.arguments.items():
            kind = signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                self.given |= {f"{name}[{i}]": a for i, a in enumerate(value)}
            elif kind is inspect.Parameter.VAR_KEYWORD:
                self.given |= value
            else:
                self.given[name] = value
        self.tensors = {name: a for name, a in self.given.items() if torch.is_tensor(a)}

    def __call__(self, tensors):
        """The loss of these tensors in place of those that were given."""
        now = {**self.given, **dict(zip(self.tensors, tensors, strict=True))}
        positional = len(self.bound.args)
        values = list(now.values())
        return self.loss_fn(*values[:positional], **dict(list(now.items())[positional:]))

    def gradients(self, grad) -> dict[str, torch.Tensor]:
        """The gradients by the names of the inputs that they belong to."""
        if not isinstance(grad, tuple):
            return {next(iter(self.given)): grad}
        fields = getattr(grad, "_fields", ())
        names = fields if fields and set(fields) <= set(self.names) else self.given
        return dict(zip(names, grad, strict=False))


def _requires_grad(a) -> bool:
    """Also of a tensor inside a list or a dict, which autograd does not see."""
    if isinstance(a, dict):
        a = list(a.values())
    return any(map(_requires_grad, a)) if isinstance(a, (list, tuple)) else torch.is_tensor(a) and a.requires_grad


def _chained(grad, shape, up):
    """The gradient of an input of this shape from the slope of every value, where numbers share an input their sum."""
    if grad is None:
        return None
    return (grad * up.reshape(up.shape + (1,) * (grad.ndim - up.ndim))).sum_to_size(shape)
