"""What a lesson shows besides figures: library source, tables, rounded numbers."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["Table", "link", "literal", "rounded", "show", "source"]

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
    text = textwrap.dedent(inspect.getsource(obj))  # a method stands indented in its class
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            doc = node.body[0]
            after = doc.end_lineno or doc.lineno
            blank = after < len(lines) and not lines[after].strip()
            lines[doc.lineno - 1 : after + blank] = ["\0"] * (after + blank - doc.lineno + 1)
    file = Path(inspect.getsourcefile(inspect.unwrap(obj)) or "")
    home = Path(__file__).parent.parent
    kept = "\n".join(line for line in lines if line != "\0")
    return f"# {file.relative_to(home).as_posix()}\n{kept}"


def show(*objects) -> _Markdown:
    """The library's own source of one or several functions or classes: what a lesson quotes cannot drift."""
    text = "\n\n".join(source(o) for o in objects)
    return _Markdown(f"```python\n{text}\n```", text)
