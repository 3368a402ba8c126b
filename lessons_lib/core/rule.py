"""A rule, and what every update shares: whose gradient and state it gets, and the dtype in which it computes."""

import reprlib
from functools import wraps
from typing import Any, Protocol

from array_api_compat import array_namespace, device

from .dtypes import is_floating, is_half, namespace, outside_autocast


class Rule(Protocol):
    """An optimizer: `state = rule.init(theta)`, then `theta, state = rule.update(theta, g, state)`.

    elementwise: no number of theta looks at another one, so an array may be updated piece by piece.
    """

    lr: float
    elementwise: bool

    def init(self, theta) -> Any: ...

    def update(self, theta, g, state) -> Any: ...


def zeros_for(theta):
    """A running mean that starts at 0: shaped like theta, in float32 where theta has half precision."""
    xp = array_namespace(theta)
    return xp.zeros_like(theta, dtype=xp.float32 if is_half(theta) else theta.dtype)


def in_theta_dtype(update):
    """Let an update compute in theta's dtype, in float32 where theta has half precision, and round theta once.

    Gradient and state are brought to that dtype first: what has fewer digits takes none away from theta, what has
    more adds none. The state stays in it: a running mean rounded to 11 bits would lose small gradients. Nor does
    torch's autocast change anything.
    Raises TypeError or ValueError unless gradient and state belong to theta.
    """

    @wraps(update)
    def checked(self, theta, g, state):
        belong(self, theta, g, state)
        xp = namespace(theta)
        wide = xp.float32 if is_half(theta) else theta.dtype

        def widen(a):
            return xp.astype(a, wide) if namespace(a) and a.dtype != wide else a

        with outside_autocast(theta):
            moved, state = update(self, widen(theta), widen(g), type(state)(*map(widen, state)))
        moved = moved if moved.dtype == theta.dtype else xp.astype(moved, theta.dtype)
        return moved, type(state)(*map(widen, state))

    return checked


def same_shape(**arrays) -> None:
    """Raise ValueError unless all arrays have one shape: nothing is broadcast behind the caller's back."""
    shapes = {name: tuple(a.shape) for name, a in arrays.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError("shapes must be equal, got " + ", ".join(f"{n} {s}" for n, s in shapes.items()))


def alike(**arrays) -> None:
    """Raise unless all are arrays of floating point numbers, of one library, shape and device."""
    floating(**arrays)
    same_shape(**arrays)
    (first, a), *others = arrays.items()
    for name, b in others:
        if namespace(b) is not namespace(a):
            raise TypeError(f"{name} must come from the array library of {first}, got {type(b)} beside {type(a)}")
        if device(b) != device(a):
            raise ValueError(f"{name} must be on the device of {first}, {device(a)}, got {device(b)}")


def belong(rule, theta, g, state) -> None:
    """Raise unless g is a gradient for theta and state one that rule.init(theta) could have returned."""
    alike(theta=theta, g=g)
    own = rule.init.__annotations__.get("return")
    if not isinstance(state, own if isinstance(own, type) else tuple):
        raise TypeError(
            f"state must be what {type(rule).__name__}().init(theta) returns, got {reprlib.repr(state)}, "
            f"a {type(state).__name__}"
        )
    found = _shapes(state)
    if any(shape not in (None, tuple(theta.shape)) for shape in found.values()):
        wanted = _shapes(rule.init(theta))  # rarely: only Adafactor's arrays have other shapes than theta
        if found != wanted:
            raise ValueError(f"state belongs to another array: its shapes are {found}, theta's would be {wanted}")


def _shapes(state) -> dict:
    return {name: tuple(a.shape) if namespace(a) else None for name, a in state._asdict().items()}


def floating(**arrays) -> None:
    """Raise TypeError unless every one is an array of floating point numbers."""
    for name, a in arrays.items():
        if not namespace(a):
            raise TypeError(f"{name} must be a floating point array, got {reprlib.repr(a)}, a {type(a).__name__}")
        if not is_floating(a):
            raise TypeError(f"{name} must be a floating point array, got dtype {a.dtype}")
