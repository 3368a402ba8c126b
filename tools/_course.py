"""The course as the headers of its lessons tell it: their order, what needs what, and the links between them."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from nbformat import NotebookNode

from tools import _source

REFERENCE = {
    "The article's claims": "notebooks/claims.md",
    "Glossary": "notebooks/glossary.md",
    "Sources": "notebooks/sources.md",
}
VERDICTS = ("confirmed", "conditional", "refuted")
WORDS_A_MINUTE, LINES_A_MINUTE = 200, 7.5
SENTENCE = r"(?<=[.?!])\s+(?=[A-Z])"


def sources(root: Path) -> list[Path]:
    return sorted((root / "lessons").rglob("lesson.py"))


def name_of(source: Path) -> str:
    """A lesson's name in the course, such as 03_algorithms/04_adam: its room, and its notebook in each edition."""
    return source.resolve().parent.relative_to(root_of(source) / "lessons").as_posix()


def root_of(source: Path) -> Path:
    return next(folder.parent for folder in source.resolve().parents if folder.name == "lessons")


def headers(root: Path) -> dict[str, dict]:
    """Every lesson's header in the course's order, by name; `needs` holds names, each of a lesson that comes before."""
    found: dict[str, dict] = {}
    for source in sources(root):
        name, header = name_of(source), _source.header(source)
        needs = [posixpath.join(posixpath.dirname(name), need) if "/" not in need else need for need in header["needs"]]
        for need in needs:
            if need not in found:
                raise ValueError(f"{name}: needs names {need!r}; allowed are lessons before it: {', '.join(found)}")
        found[name] = header | {"needs": needs}
    return found


def described(name: str, header: dict, cells: list[NotebookNode]) -> dict:
    """A lesson's header, with its minutes of reading and its terms, {term: the sentence that defines it}."""
    reading = minutes_of_reading(cells)
    if header["minutes"] < reading:
        raise ValueError(f"{name}: minutes is {header['minutes']}, and reading alone takes {reading}")
    terms = {term: definition(name, term, cells) for term in header.get("terms", [])}
    claims = {i: claim | {"under": under(name, i, claim, cells)} for i, claim in header.get("claims", {}).items()}
    return header | {"reading": reading, "terms": terms} | ({"claims": claims} if claims else {})


def minutes_of_reading(cells: list[NotebookNode]) -> int:
    """Of words, and of lines of code that are open; hints and folded cells are read by choice."""
    prose = [re.sub("(?s)<details>.*?</details>", "", c.source) for c in cells if c.cell_type == "markdown"]
    code = [_source.SOLUTION.sub("...", c.source) for c in cells if c.cell_type == "code" and not _source.folded(c)]
    lines = sum(bool(line.strip()) for text in code for line in text.splitlines())
    return max(1, round(sum(len(text.split()) for text in prose) / WORDS_A_MINUTE + lines / LINES_A_MINUTE))


def under(name: str, claim: str, given: dict, cells: list[NotebookNode]) -> str:
    """The heading under which the cell stands that decides a claim."""
    if not isinstance(given, dict) or given.keys() != {"verdict", "cell", "says"} or given["verdict"] not in VERDICTS:
        allowed = f"{{verdict: {' or '.join(VERDICTS)}, cell: its name, says: what was found}}"
        raise ValueError(f"{name}: claims has {claim}: {given!r}; allowed is {allowed}")
    heading = ""
    for cell in cells:
        if cell.cell_type == "markdown":
            found = [line.lstrip("# ") for line in cell.source.splitlines() if re.match("#+ ", line)]
            heading = found[-1] if found else heading
        elif cell.metadata.get("name") == given["cell"]:
            return heading
    raise ValueError(f"{name}: claims has {claim} with the cell {given['cell']!r}, which is no code cell of the lesson")


def definition(name: str, term: str, cells: list[NotebookNode]) -> str:
    """The sentence in which `**term**` stands first."""
    if len(term.split()) > 4:
        raise ValueError(f"{name}: terms names {term!r}; a term has at most four words")
    for paragraph in [text for c in cells if c.cell_type == "markdown" for text in c.source.split("\n\n")]:
        for sentence in re.split(SENTENCE, " ".join(paragraph.split())):
            if f"**{term}**" in sentence:
                alone = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", sentence)  # its links lead on from the lesson only
                return re.sub(":$", ".", alone)  # the formula that follows stays in the lesson
    raise ValueError(f"{name}: terms names {term!r}, and its text has no **{term}**")


def way(to: str, at: str) -> str:
    """The path from one page to another; both are given from the root, such as notebooks/glossary.md."""
    return posixpath.relpath(to, posixpath.dirname(at) or ".")


def link(title: str, to: str, at: str) -> str:
    return f"[{title}]({way(to, at)})"


def links(names: list[str], known: dict[str, dict], at: str) -> str:
    return ", ".join(link(known[name]["title"], f"notebooks/{name}.ipynb", at) for name in names)


def under_title(name: str, lesson: dict, known: dict[str, dict]) -> str:
    """The line below a lesson's title: how long it takes, and what it needs."""
    time = f"*{lesson['minutes']} minutes, {lesson['reading']} of them reading.*"
    needs = links(lesson["needs"], known, f"notebooks/{name}")
    return f"{time} *It needs* {needs}." if needs else time


def onward(name: str, known: dict[str, dict], kind: str) -> str:
    """A lesson's last cell: its other edition, the lesson before, the lesson after, and the way out."""
    order, at = list(known), f"{kind}/{name}.ipynb"
    if kind == "notebooks":
        text = link("All solutions of this lesson", f"solutions/{name}.ipynb", at)
    else:
        text = link("This lesson with open exercises", f"notebooks/{name}.ipynb", at)
    near = {"Before": order.index(name) - 1, "Next": order.index(name) + 1}
    steps = [
        f"{word}: {links([order[i]], known, f'notebooks/{name}')}" for word, i in near.items() if 0 <= i < len(order)
    ]
    pages = {"All lessons of this section": f"notebooks/{posixpath.dirname(name)}/README.md"} if "/" in name else {}
    ways = [link(title, page, at) for title, page in (pages | REFERENCE).items()]
    return "\n\n".join([text, " · ".join(steps + ways)])
