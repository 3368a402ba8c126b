"""The pages that the headers write: each section's, the glossary, and the README between its markers."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import yaml

from tools import _course, _map, _source
from tools._course import link, links, way

MARKED = re.compile(r"(<!-- (\w+) -->)(.*?)(<!-- /\2 -->)", re.S)
CLAIMS = """# What the article claims, and what was found

The course follows an article. Its claims are checked in the lessons: {counts}. A claim is *confirmed* if it held
wherever it was tried, *conditional* if it holds in one case and fails in another, *refuted* if it is wrong as it
stands. The last column leads to the place that decides.

| the article claims | verdict | found | where |
|---|---|---|---|
{rows}
"""
PATHS = {"evening": "An evening", "day": "A workshop day"}


def pages(root: Path) -> dict[str, str]:
    """Every page, {path: text}; a test compares them with what is stored."""
    known = _course.headers(root)
    told = described(root, known)
    made = {"notebooks/glossary.md": glossary(told), "notebooks/claims.md": claims(root, told)}
    made["notebooks/sources.md"] = bibliography(root, known)
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
    behind = {"Start page": "notebooks/00_start_here.ipynb"} | _course.REFERENCE
    out = [link(title, page, at) for title, page in behind.items()]
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


def described(root: Path, known: dict[str, dict]) -> dict[str, dict]:
    """The headers, with what the texts of those lessons add that list terms or claims."""
    told = dict(known)
    for source in _course.sources(root):
        name = _course.name_of(source)
        if known[name].get("terms") or known[name].get("claims"):
            told[name] = _course.described(name, known[name], _source.read(source, "en")[1])
    return told


def glossary(told: dict[str, dict]) -> str:
    """Each term with the sentence of its first use, from the lesson that lists it."""
    found: dict[str, str] = {}
    for name, lesson in told.items():
        for term, sentence in (lesson.get("terms") or {}).items():
            found.setdefault(term, f"- {sentence} ({links([name], told, 'notebooks/glossary.md')})")
    lines = [found[term] for term in sorted(found, key=str.casefold)]
    return (
        "# Glossary\n\nEach term with the sentence that introduces it, and the lesson where it stands.\n\n"
        + "\n".join(lines)
        + "\n"
    )


def bibliography(root: Path, known: dict[str, dict]) -> str:
    """What each lesson rests on: its section "Sources", with a link behind every number of arXiv's."""
    text = ["# Sources", "What each lesson names as its sources, in the order of the course."]
    for section, names in sections(known).items():
        text.append(f"## {read_section(root, section)['title']}")
        for name in names:
            cells = _source.read(root / "lessons" / name / "lesson.py", "en")[1]
            whole = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
            if found := re.search(r"(?ms)^## Sources\n(.*?)(?=^#|\Z)", whole):
                own = re.sub(
                    r"\[([^]]*)\]\((?!http)[^)]*\)", r"\1", found[1]
                )  # links within the course lead on from there
                listed = re.sub(r"(?<![/\d])(\d{4}\.\d{4,5})\b", r"[\1](https://arxiv.org/abs/\1)", own).strip()
                text += [f"### {links([name], known, 'notebooks/sources.md')}", listed]
    return "\n\n".join(text) + "\n"


def claims(root: Path, told: dict[str, dict]) -> str:
    """What the article claims, each claim with the verdicts of the lessons and where it was decided."""
    path = root / "lessons" / "source_map.yml"
    words = yaml.safe_load(path.read_text(encoding="utf-8"))["ids"] if path.exists() else {}
    rows, counts = [], Counter[str]()
    for claim, text in words.items():
        for name, lesson in told.items():
            if found := lesson.get("claims", {}).get(claim):
                at = quote(found["under"].replace(" ", "-"), safe="?,:'")
                place = f"[{lesson['title']}, *{found['under']}*]({name}.ipynb#{at})"
                rows.append(f"| {text} | **{found['verdict']}** | {found['says']} | {place} |")
                counts[found["verdict"]] += 1
    found = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _course.VERDICTS)
    return CLAIMS.format(counts=found, rows="\n".join(rows))
