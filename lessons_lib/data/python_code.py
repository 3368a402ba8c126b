"""The functions of Python's own standard library that say in a docstring what they do."""

from __future__ import annotations

import ast
import sysconfig
from functools import cache
from pathlib import Path
from typing import NamedTuple

LEFT_OUT = {"test", "tests", "idle_test", "idlelib", "lib2to3", "pydoc_data", "site-packages", "turtledemo"}


class Function(NamedTuple):
    """module: where it stands; signature: "def name(arguments)"; summary: its docstring's first line; rest: the others.

    Methods are functions too.
    """

    module: str
    signature: str
    summary: str
    rest: str


@cache
def functions(packages: bool = False) -> tuple[Function, ...]:
    """Every function that has a docstring, in the order of the modules, each signature with each summary once.

    packages: also the modules that stand in packages (asyncio, json, ...), about half as many again.
    Raises FileNotFoundError where this Python came without the source of its library.
    """
    home = Path(sysconfig.get_path("stdlib"))
    files = [f for f in sorted(home.glob("**/*.py" if packages else "*.py")) if not LEFT_OUT & set(f.parts)]
    found: dict[tuple[str, str], Function] = {}
    for file in files:
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):  # a template, an example of bad code
            continue
        module = ".".join(file.relative_to(home).with_suffix("").parts)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (text := (ast.get_docstring(node) or "").strip()):
                summary, _, rest = text.partition("\n")
                signature = f"def {node.name}({ast.unparse(node.args)})"
                found.setdefault((signature, summary), Function(module, signature, summary.strip(), rest.strip()))
    if not found:
        raise FileNotFoundError(f"{home} holds no source of Python's library; install the full Python")
    return tuple(found.values())
