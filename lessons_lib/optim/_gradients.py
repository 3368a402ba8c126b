"""A gradient of many parameters is a dict or a list of arrays, or one array: the walk through it."""

from typing import Any

from ..core.rule import floating


def named(g) -> dict:
    """The arrays of g by the name that an error should say. Raises TypeError on integer arrays."""
    if isinstance(g, dict):
        arrays = {f"g[{name!r}]": a for name, a in g.items()}
    else:
        arrays = {f"g[{i}]": a for i, a in enumerate(g)} if isinstance(g, (list, tuple)) else {"g": g}
    floating(**arrays)
    return arrays


def of_each(fn, g) -> Any:
    """fn of each array, in the arrangement of g."""
    if isinstance(g, dict):
        return {name: fn(a) for name, a in g.items()}
    return [fn(a) for a in g] if isinstance(g, (list, tuple)) else fn(g)
