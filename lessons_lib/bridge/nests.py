"""A state is a nest of named tuples, dicts and lists; torch keeps it flat, each leaf by its name: "t", "inner.m"."""

from collections.abc import Callable
from typing import Any


def walk(nest, fn: Callable[[str, Any], Any], name: str = ""):
    """The nest with fn(name, leaf) in place of every leaf."""

    def part(key, a):
        return walk(a, fn, f"{name}.{key}" if name else str(key))

    if isinstance(nest, dict):
        return {key: part(key, a) for key, a in nest.items()}
    if isinstance(nest, tuple) and hasattr(nest, "_fields"):
        return type(nest)(*map(part, nest._fields, nest))
    if isinstance(nest, (list, tuple)):
        return type(nest)(part(i, a) for i, a in enumerate(nest))
    return fn(name, nest)


def leaves(nest) -> dict[str, Any]:
    """The leaves by name. Raises ValueError where two have the same one."""
    flat: dict[str, Any] = {}

    def keep(name, leaf):
        if name in flat:
            raise ValueError(
                f"two parts of the state are called {name!r}; no key may hold a dot or differ in type only"
            )
        flat[name] = leaf

    walk(nest, keep)
    return flat


def names_of(nest):
    """The nest with its leaves' names in place of them."""
    return walk(nest, lambda name, leaf: name)


def of_leaves(shell, flat: dict[str, Any]):
    """The nest again, from its names and its leaves."""
    return walk(shell, lambda _, name: flat[name])
