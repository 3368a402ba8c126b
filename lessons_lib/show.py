"""What a lesson shows besides figures: library source, tables, rounded numbers."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["Table", "formula", "link", "literal", "rounded", "show", "source"]

# Entities, which no reader of Markdown takes for markup; $ and \ stand in elements alone, where MathJax finds no pair.
LITERAL = {ord(c): f"&#{ord(c)};" for c in "&<>|*_`[]~"} | {ord(c): f"<span>&#{ord(c)};</span>" for c in "$\\"}


class _Markdown:
    """A cell's result as Markdown, with a plain text beside it for terminals."""

    def __init__(self, markdown: str, plain: str):
        self.markdown, self.plain = markdown, plain

    def _repr_mimebundle_(self, **kwargs) -> dict[str, str]:
        return {"text/markdown": self.markdown, "text/plain": self.plain}

    def __str__(self) -> str:
        return self.plain


class Table(_Markdown):
    """A table from headers and rows; floats are rounded to four digits, text is literal. The note is Markdown."""

    def __init__(self, headers: Iterable[str], rows: Iterable[Iterable[Any]], note: str = ""):
        grid = [[_cell(str(h)) for h in headers], *([*map(_cell, row)] for row in rows)]
        width = [max(len(row[i].plain) for row in grid) for i in range(len(grid[0]))]
        plain = ["  ".join(x.plain.ljust(w) for x, w in zip(row, width, strict=True)).rstrip() for row in grid]
        cells = [[x.markdown for x in row] for row in grid]
        lines = ["| " + " | ".join(row) + " |" for row in [cells[0], ["---"] * len(width), *cells[1:]]]
        super().__init__("\n".join(lines) + f"\n\n{note}".rstrip(), "\n".join(plain) + f"\n{note}".rstrip())


def link(text: str, address: str) -> _Markdown:
    """A link, for a cell of a table."""
    return _Markdown(f"[{literal(text)}]({address})", text)


def _cell(x: Any) -> _Markdown:
    return x if isinstance(x, _Markdown) else _Markdown(literal(rounded(x)), rounded(x))


def literal(text: str) -> str:
    """Markdown, for a line or the cell of a table, that shows exactly this text."""
    return " ".join(text.split()).translate(LITERAL)


def rounded(x: Any, digits: int = 4) -> str:
    """A number with `digits` significant digits, whatever array library it comes from; text stays as it is."""
    if isinstance(x, str | bool | int):
        return str(x)
    x = float(x)
    if not math.isfinite(x) or x == 0:
        return f"{x:.1f}"
    exponent = int(f"{x:.{digits - 1}e}".split("e")[1])  # of the rounded number: 0.99999 is 1.000
    return f"{x:.{max(digits - 1 - exponent, 1)}f}" if -4 < exponent < 5 else f"{x:.{digits - 2}e}"


def source(obj) -> str:
    """The source of a function, method or class without its docstrings, under the name of its file."""
    return _quoted(obj, _docstrings)


def formula(obj) -> str:
    """Its source without the checks of its input as well: what is left is what it computes."""
    short = _quoted(obj, lambda tree: [*_docstrings(tree), *_checks(tree)])
    return short if short == source(obj) else short.replace(".py\n", ".py, its checks of input left out\n", 1)


def _quoted(obj, left_out: Callable) -> str:
    text = textwrap.dedent(inspect.getsource(obj))  # a method stands indented in its class
    lines = text.splitlines()
    for node in left_out(ast.parse(text)):
        after = node.end_lineno or node.lineno
        blank = after < len(lines) and not lines[after].strip()
        lines[node.lineno - 1 : after + blank] = ["\0"] * (after + blank - node.lineno + 1)
    file = Path(inspect.getsourcefile(inspect.unwrap(obj)) or "")
    home = Path(__file__).parent.parent
    kept = "\n".join(line for line in lines if line != "\0")
    return f"# {file.relative_to(home).as_posix()}\n{kept}"


def _docstrings(tree) -> list:
    owners = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return [n.body[0] for n in owners if ast.get_docstring(n) is not None]


def _checks(tree) -> list:
    """The decorators that check, what can only raise, and what a class says of itself."""
    nodes = list(ast.walk(tree))
    decorators = [d for n in nodes if isinstance(n, ast.FunctionDef) for d in n.decorator_list]
    found: list = [d for d in decorators if ast.unparse(d).startswith(("contract(", "in_theta_dtype"))]
    found += [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == "__post_init__"]  # of a frozen class
    found += [n for n in nodes if isinstance(n, ast.AnnAssign) and "ClassVar" in ast.unparse(n.annotation)]
    return found + [n for n in nodes if _only_raises(n)]


def _only_raises(node) -> bool:
    """A call whose result nobody takes, as fraction(beta1=beta1); an `if` or a `for` with nothing but such in it."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)
    if isinstance(node, ast.If | ast.For):
        return not node.orelse and all(map(_only_raises, node.body))
    return isinstance(node, ast.Raise)


def show(*objects) -> _Markdown:
    """The library's own source of functions or classes, without checks of input: what a lesson quotes cannot drift."""
    text = "\n\n".join(formula(o) for o in objects)
    return _Markdown(f"```python\n{text}\n```", text)
