"""How a derivation looks: a table with a line per step, for JupyterLab, the site, a code host and a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

MATH_OR_CODE = re.compile(r"(\$[^$]+\$)|(`[^`]+`)|\|")


class Line(NamedTuple):
    left: str  # LaTeX: what the line says something about
    right: str  # Markdown: the formula
    reason: str  # Markdown
    how: str  # it was checked; empty if it was not
    plain: str  # the formula in a terminal


def markdown(lines: Iterable[Line]) -> str:
    """A table whose columns are what, formula, reason and check; its header is empty."""
    rows = ["| | | | |", "|--:|:--|:--|:--|"]
    for line in lines:
        cells = formula(line.left), line.right, line.reason, line.how and f"✓ {line.how}"
        rows.append("| " + " | ".join(without_bars(cell) for cell in cells) + " |")
    return "\n".join(rows)


def plain(lines: Iterable[Line]) -> str:
    rows = [(x.plain, x.reason and f"({x.reason})", x.how and f"✓ {x.how}") for x in lines]
    return "\n".join("  ".join(filter(None, row)) for row in rows)


def formula(tex: str) -> str:
    """Displayed, though it stands in a cell. GitHub wants no space beside the dollar signs."""
    return rf"$\displaystyle {tex.strip()}$" if tex.strip() else ""


def without_bars(text: str) -> str:
    """A bar would end the cell of a table."""

    def mend(found) -> str:
        math, code = found.groups()
        if math:
            return re.sub(r"\|\s*", r"\\vert ", re.sub(r"\\\|\s*", r"\\Vert ", math)).replace(" $", "$")
        return code.replace("|", r"\|") if code else r"\|"

    return MATH_OR_CODE.sub(mend, " ".join(text.split()))
