"""The pages that the headers write: each section's, the glossary, and the README between its markers."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import yaml

from tools import _course, _map, _source
from tools._course import link, links, way

MARKED = re.compile(r"(<!-- (\w+) -->)(.*?)(<!-- /\2 -->)", re.S)
PATHS = {"evening": "An evening", "day": "A workshop day"}


def pages(root: Path) -> dict[str, str]:
    """Every page, {path: text}; a test compares them with what is stored."""
    known = _course.headers(root)
    made = {"notebooks/glossary.md": glossary(root, known)}
    for section, names in sections(known).items():
        folder = f"notebooks/{section}"
        made[f"{folder}/map.svg"] = _map.drawn({name: known[name] for name in names})
        made[f"{folder}/README.md"] = section_page(section, read_section(root, section), names, known)
    readme = root / "README.md"
    if readme.exists():
        blocks = {"lessons": lessons(root, known, "README.md"), "hours": hours(known), "number": str(len(known) - 1)}
        made["README.md"] = filled(readme.read_text(encoding="utf-8"), blocks)
    return made


def stale(root: Path) -> list[str]:
    """The pages that are not what the headers give."""
    made = pages(root).items()
    return [page for page, text in made if not (root / page).exists() or (root / page).read_text("utf-8") != text]


def write(root: Path, out: Path) -> None:
    for path, text in pages(root).items():
        if out == root or path.startswith("notebooks/"):
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_text(text, encoding="utf-8", newline="\n")


def filled(text: str, blocks: dict[str, str]) -> str:
    """The text with `<!-- name -->...<!-- /name -->` filled; a block of lines gets lines of its own."""

    def fill(found: re.Match) -> str:
        begin, name, _, end = found.groups()
        if name not in blocks:
            raise ValueError(f"README.md: there is no block {name!r}; allowed are {', '.join(blocks)}")
        gap = "\n\n" if "\n" in blocks[name] else ""
        return f"{begin}{gap}{blocks[name]}{gap}{end}"

    return MARKED.sub(fill, text)


def sections(known: dict[str, dict]) -> dict[str, list[str]]:
    inside = [name for name in known if "/" in name]
    return {section: list(names) for section, names in groupby(inside, lambda name: name.partition("/")[0])}


def read_section(root: Path, section: str) -> dict:
    """What lessons/<section>/section.md says: title, answers, paths, and the text below."""
    where = f"lessons/{section}/section.md"
    path = root / where
    parts = path.read_text(encoding="utf-8").split("---\n", 2) if path.exists() else []
    head = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    given = head if isinstance(head, dict) else {}
    paths = given.get("paths")
    if not (given.get("title") and given.get("answers") and isinstance(paths, dict) and paths.keys() == PATHS.keys()):
        wanted = f"title, answers and paths ({', '.join(PATHS)}: lists of lessons) between two lines ---"
        raise ValueError(f"{where} must be there and begin with {wanted}")
    return given | {"text": parts[2].strip()}


def section_page(section: str, said: dict, names: list[str], known: dict[str, dict]) -> str:
    at = f"notebooks/{section}/README.md"
    paths = {path: [f"{section}/{room}" for room in said["paths"][path]] for path in PATHS}
    for odd in {name for path in paths.values() for name in path} - {*names}:
        raise ValueError(f"lessons/{section}/section.md: paths names {odd!r}; allowed are {', '.join(names)}")
    told = [f"- **{PATHS[p]}** ({time_of(rooms, known)}): {links(rooms, known, at)}." for p, rooms in paths.items()]
    told += [f"- **Everything** ({time_of(names, known)}): the table above, from top to bottom."]
    out = [link("Start page", "notebooks/00_start_here.ipynb", at), link("Glossary", "notebooks/glossary.md", at)]
    return "\n\n".join(
        [
            f"# {said['title']}",
            f"*{said['answers']}*",
            said["text"],
            picture(names, known, "map.svg"),
            table(names, known, at),
            "## Three paths",
            "\n".join(told),
            " · ".join(out) + "\n",
        ]
    )


def lessons(root: Path, known: dict[str, dict], at: str) -> str:
    """Each section with its map and its table."""
    text = []
    for section, names in sections(known).items():
        said = read_section(root, section)
        page = f"notebooks/{section}/README.md"
        text += [f"### {link(said['title'], page, at)}", said["answers"]]
        text += [picture(names, known, way(f"notebooks/{section}/map.svg", at)), table(names, known, at)]
    return "\n\n".join(text)


def table(names: list[str], known: dict[str, dict], at: str) -> str:
    rows = ["| lesson | the question it answers | minutes | it needs |", "|---|---|---:|---|"]
    for name in names:
        lesson = known[name]
        needs = links(lesson["needs"], known, at)
        rows.append(f"| {links([name], known, at)} | {lesson['question']} | {lesson['minutes']} | {needs} |")
    return "\n".join(rows)


def picture(names: list[str], known: dict[str, dict], path: str) -> str:
    shown = _map.said({name: known[name] for name in names}) or "they stand side by side"
    return f"![A map of the lessons: {shown}.]({path})"


def time_of(names: list[str], known: dict[str, dict]) -> str:
    hours, minutes = divmod(sum(known[name]["minutes"] for name in names), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def hours(known: dict[str, dict]) -> str:
    return f"{round(sum(lesson['minutes'] for lesson in known.values()) / 60)} hours"


def glossary(root: Path, known: dict[str, dict]) -> str:
    """Each term with the sentence of its first use, from the lesson that lists it."""
    found: dict[str, str] = {}
    for source in _course.sources(root):
        name = _course.name_of(source)
        if terms := known[name].get("terms"):
            said = _course.described(name, known[name], _source.read(source, "en")[1])["terms"]
            for term in terms:
                found.setdefault(term, f"- {said[term]} ({links([name], known, 'notebooks/glossary.md')})")
    lines = [found[term] for term in sorted(found, key=str.casefold)]
    return (
        "# Glossary\n\nEach term with the sentence that introduces it, and the lesson where it stands.\n\n"
        + "\n".join(lines)
        + "\n"
    )
