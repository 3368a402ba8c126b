"""Whoever breaks the function that a lesson studies turns the lesson red: its derivation holds *that* function.

A lesson's header names what it studies, as `studies: [losses.huber, optim.Adam]`. Each is broken in three ways: it
raises, it returns zeros, its gradient (of a rule: the gradient it is given) changes sign.
"""

import ast
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import wraps
from importlib import import_module
from itertools import product

import pytest

from tools._command import QUIET
from tools.build import edition, sources
from tools.seeds import code_cells, execute, fresh_processes

BREAKS = ("raises", "zeros", "flips")
LESSONS = [s for s in sources() if s.parent.parent.name != "lessons"]


def studies(source) -> list[str]:
    return edition(source, "solutions").metadata["lesson"].get("studies", [])


def mapped(change, result):
    """`change` on every number and array of a result, whatever it is nested in."""
    if isinstance(result, tuple):
        parts = [mapped(change, part) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    if isinstance(result, list | dict):
        keys = result if isinstance(result, dict) else range(len(result))
        parts = {k: mapped(change, result[k]) for k in keys}
        return parts if isinstance(result, dict) else list(parts.values())
    return result if result is None or isinstance(result, bool | str) else change(result)


def breakable(fn, broken: dict):
    """fn, until broken["now"] names it and how."""

    def zeros(result):
        return mapped(lambda a: a * 0, result)

    @wraps(fn)
    def call(*args, **kwargs):
        what, how = broken.get("now", (None, ""))
        if what is not call:
            return fn(*args, **kwargs)
        if how == "raises":
            raise RuntimeError("broken on purpose")
        if fn.__name__ == "update":
            rule, theta, g, *state = args
            moved, new = fn(rule, theta, -g if how == "flips" else g, *state, **kwargs)
            return (zeros(moved) if how == "zeros" else moved), new
        result = fn(*args, **kwargs)
        if how == "zeros":
            return zeros(result)
        negative = mapped(lambda a: -a, result)
        return result._replace(grad=negative.grad) if "grad" in getattr(result, "_fields", ()) else negative

    return call


def replace_everywhere(name: str, broken: dict):
    """Put a breakable twin in the place of lessons_lib.<name>, wherever the library holds it."""
    module, _, attribute = f"lessons_lib.{name}".rpartition(".")
    found = getattr(import_module(module), attribute)
    if isinstance(found, type):
        found.update = breakable(found.update, broken)
        return found.update
    twin = breakable(found, broken)
    for other in [m for n, m in sys.modules.items() if n.startswith("lessons_lib")]:
        for key in [k for k, v in vars(other).items() if v is found]:
            setattr(other, key, twin)
    return twin


def names(text: str, *contexts) -> set[str]:
    """The names that a cell reads (ast.Load) or binds (ast.Store)."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, contexts):
            found.add(node.id)
        elif ast.Store in contexts and isinstance(node, ast.FunctionDef | ast.ClassDef | ast.alias):
            found.add((getattr(node, "asname", None) or node.name).partition(".")[0])
    return found


def needed(texts: list[str], proofs: list[int]) -> list[int]:
    """The proofs, and the cells before them that bind what they read, and what those read, and so on."""
    kept, before = set(proofs), set()
    while kept != before:
        before = kept
        wanted = set().union(*(names(texts[i], ast.Load) for i in kept))
        kept = kept | {i for i in range(proofs[-1]) if names(texts[i], ast.Store) & wanted}
    return sorted(kept)


def noticed(source) -> dict[tuple[str, str], str]:
    """For everything that a lesson studies and each way to break it: the cell that goes red first, or ""."""
    broken: dict = {}
    for module in ("losses", "optim", "second_order"):
        import_module(f"lessons_lib.{module}")
    twins = {name: replace_everywhere(name, broken) for name in studies(source)}
    cells = code_cells(source)
    proofs = [i for i, (section, _, _) in enumerate(cells) if section.startswith(("Derivation", "Parity"))]
    space: dict = {"__name__": "__main__"}
    for i in needed([text for _, _, text in cells], proofs):
        _, name, text = cells[i]
        execute(text, name, space)
    found = {}
    for (name, twin), how in product(twins.items(), BREAKS):
        broken["now"], found[name, how], again = (twin, how), "", dict(space)
        named = sorted(proofs, key=lambda i: name.rpartition(".")[2] not in cells[i][2])  # those most likely to see it
        for section, cell, text in [cells[i] for i in named]:
            try:
                execute(text, cell, again)
            except Exception:
                found[name, how] = f"{section.split()[0]}: {cell}"
                break
        broken.clear()
    return found


@pytest.mark.parametrize("source", LESSONS, ids=lambda s: s.parent.name)
def test_a_broken_function_turns_its_lesson_red(source, monkeypatch):
    assert studies(source), "the header names nothing under `studies`"
    for name, value in QUIET.items():
        monkeypatch.setitem(os.environ, name, value)
    with ProcessPoolExecutor(1, fresh_processes()) as fresh:
        found = fresh.submit(noticed, source).result()
    assert len(found) == len(BREAKS) * len(studies(source))
    unseen = [f"{name} {how}" for (name, how), cell in found.items() if not cell]
    assert not unseen, "no cell of the derivation or the parity section went red"
    derived = {name: [how for how in BREAKS if found[name, how].startswith("Derivation")] for name in studies(source)}
    untied = [name for name, hows in derived.items() if not {"raises", "zeros"} <= set(hows)]
    assert not untied, f"the derivation does not look at the library's own function: {found}"
