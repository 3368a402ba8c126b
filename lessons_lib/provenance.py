"""Which code made a number: a hash, in which comments, white space and the place of a file do not count; nor do the
library's docstrings."""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import sys
import tokenize
from collections.abc import Iterable
from typing import Any

from .show import source

HOME = __package__


def digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]


def code(parts: list) -> set[str]:
    """The code of these functions and classes of the library, of what their code names in the library, and so on."""
    texts, seen = set(), []
    while parts:
        part = parts.pop()
        if part in seen or not part.__module__.startswith(HOME):
            continue
        seen.append(part)
        texts.add(bare(source(part)))
        more, constants = named(source(part), vars(sys.modules[part.__module__]))
        parts.extend(more)
        texts |= constants
    return texts


def named(text: str, here: dict[str, Any]) -> tuple[list, set[str]]:
    """The functions and classes that a source names, also as `module.name`, and "name=value" of its constants."""
    parts, constants = [], set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            word, found = node.id, here.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):  # clip.global_norm
            module = here.get(node.value.id)
            word, found = node.attr, vars(module).get(node.attr) if inspect.ismodule(module) else None
        else:
            continue
        if inspect.isclass(found) or inspect.isfunction(found):
            parts.append(found)
        elif isinstance(found, int | float | str | tuple):
            constants.add(f"{word}={found}")
    return parts, constants


def bare(text: str) -> str:
    """Source without comments and white space, the same text on every Python."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "".join("\n".join(lines).split())
