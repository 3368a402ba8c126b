"""Read the source of a lesson. What would be lost, leaked or mistaken on the way to a notebook is refused."""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy
from difflib import get_close_matches
from functools import cache
from itertools import groupby
from pathlib import Path

import jupytext
from nbformat import NotebookNode

SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION\n?", re.M | re.S)
# What could be meant as a marker and is none, such as "### END OF SOLUTION" or "# Solution begins".
WORDS = re.compile(
    r"\b(begin|end|start|stop)\w*[\W_]+((of|the)[\W_]+)*(sol|answ)|^\W*sol\w*[\W_]+(begin|end|start|stop)"
)
HEADER = re.compile(r'# %%(?: \[markdown\])?(?: name="[^"]+"| lang="[^"]+"| tags=\["[^\]]+"\])*')


FIELDS = {"title": str, "question": str, "minutes": int, "needs": list, "settles": list}  # that a header must have
MORE = {"studies": list, "terms": list, "claims": dict}  # that it may have


def read(source: Path, lang: str) -> tuple[dict, list[NotebookNode]]:
    """The lesson's header and its cells in one language, the solution regions still in them."""
    name, text = called_text(source)
    check_lines(name, text)
    lesson, raw = header(source), deepcopy(parsed(text))
    check_languages(name, raw.cells, lang)
    cells = [cell for cell in raw.cells if cell.metadata.get("lang", lang) == lang]
    check_names(name, cells)
    for cell in cells:
        check_markers(f"{name}, cell {called(cell)}", cell)
        check_fold(f"{name}, cell {called(cell)}", cell)
    return lesson, cells


def called_text(source: Path) -> tuple[str, str]:
    """What messages call a source, and its text."""
    name = f"{source.parent.name}/{source.name}"
    try:
        return name, source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8: {error}") from None


def header(source: Path) -> dict:
    name, text = called_text(source)
    lesson = deepcopy(parsed(text.partition("# %%")[0]).metadata.get("lesson"))
    check_header(name, lesson)
    return dict(lesson)


@cache  # every edition reads every lesson's header, for its links; tests read every lesson many times
def parsed(text: str) -> NotebookNode:
    return jupytext.reads(text, fmt="py:percent")


def called(cell: NotebookNode) -> str:
    return repr(cell.metadata.get("name") or cell.source.partition("\n")[0])


def check_lines(name: str, text: str) -> None:
    """jupytext makes a code cell of a header that it cannot read, and prose of code under a markdown header."""
    prose = False
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*#\s*%%", line):
            prose = "[markdown]" in line
            if not HEADER.fullmatch(line.rstrip()):
                raise ValueError(
                    f"{name}, line {number}: {line.strip()!r} is no header of a cell; "
                    'allowed is # %% [markdown] name="..." lang="..." tags=["..."], or a part of it'
                )
        elif prose and line.strip() and not line.startswith("#"):
            raise ValueError(f"{name}, line {number}: {line.strip()!r} would become prose; text stands behind #")


def check_header(name: str, lesson: object) -> None:
    given = lesson if isinstance(lesson, dict) else {}
    for field, kind in (FIELDS | {more: MORE[more] for more in MORE if more in given}).items():
        value = given.get(field)
        if not isinstance(value, kind) or isinstance(value, bool) or (kind is not list and not value):
            raise ValueError(
                f"{name}: its first lines must hold 'lesson: {{title: text, question: text, minutes: number, "
                f"needs: [lessons], settles: [ids]}}'; {field} is {value!r}"
            )
    if odd := sorted(given.keys() - {*FIELDS, *MORE}):
        raise ValueError(f"{name}: a lesson has no {', '.join(odd)}; allowed are {', '.join(FIELDS | MORE)}")


def check_languages(name: str, cells: list[NotebookNode], lang: str) -> None:
    """Cells with a language stand together, as many of each; else an edition would lack a paragraph."""
    known = {"en"} | {cell.metadata["lang"] for cell in cells if "lang" in cell.metadata}
    if lang not in known:
        raise ValueError(f"{name} has no text in the language {lang!r}, only in {', '.join(sorted(known))}")
    for tagged, group in groupby(cells, lambda cell: "lang" in cell.metadata):
        twins = list(group)
        number = Counter(cell.metadata.get("lang") for cell in twins)
        if tagged and len({number[other] for other in known}) > 1:
            raise ValueError(f"{name}: from {called(twins[0])} on, a cell lacks its twin: {dict(number)}")


def check_names(name: str, cells: list[NotebookNode]) -> None:
    for cell in cells:
        if not cell.metadata.get("name"):
            raise ValueError(f'{name}, cell {called(cell)}: a cell needs a name: # %% name="..."')
    for used, times in Counter(cell.metadata.get("name") for cell in cells).items():
        if used and times > 1:
            raise ValueError(f"{name}: {times} cells have the name {used!r}; a name belongs to one cell")


def check_markers(where: str, cell: NotebookNode) -> None:
    """A marker that is misspelt would leave the answer in the learner's edition."""
    for line in SOLUTION.sub(r"\2", cell.source + "\n").splitlines():
        comment = line.rpartition("#")[2].lower()
        near = WORDS.search(comment) or get_close_matches(comment.strip(), ["begin solution", "end solution"], 1, 0.75)
        if ("#" in line and near) or (cell.cell_type == "code" and line.lstrip().startswith("##")):
            raise ValueError(
                f"{where}: {line.strip()!r} marks no solution; a region begins with the line '### BEGIN SOLUTION' and "
                "ends with the line '### END SOLUTION'; in code, other comments have one # and other words"
            )


def folded(cell: NotebookNode) -> bool:
    """The input of a cell tagged "fold" is folded; of one tagged "fold-all" the output, too."""
    return not {"fold", "fold-all"}.isdisjoint(cell.metadata.get("tags", []))


def check_fold(where: str, cell: NotebookNode) -> None:
    if folded(cell) and not (cell.cell_type == "code" and cell.source.startswith("# ")):
        raise ValueError(
            f"{where}: a folded cell is code, and its first line (JupyterLab shows it) a comment that says what it is"
        )
