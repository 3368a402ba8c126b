"""A map of a section: its lessons as boxes from left to right, and a line from each to those that need it. SVG."""

from __future__ import annotations

import textwrap
from html import escape

WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 168, 46, 216, 58, 12
STYLE = "font-family:system-ui,sans-serif;font-size:13px"


def columns(lessons: dict[str, dict]) -> dict[str, int]:
    """A lesson stands one column to the right of the last one that it needs."""
    column: dict[str, int] = {}
    for name, lesson in lessons.items():
        column[name] = 1 + max((column[need] for need in lesson["needs"] if need in column), default=-1)
    return column


def drawn(lessons: dict[str, dict]) -> str:
    column = columns(lessons)
    rows: dict[int, int] = {}
    place = {}
    for name, x in column.items():
        y = rows[x] = rows.get(x, -1) + 1
        place[name] = (EDGE + ACROSS * x, EDGE + DOWN * y)
    width = 2 * EDGE + ACROSS * max(column.values()) + WIDTH
    height = 2 * EDGE + DOWN * max(rows.values()) + HEIGHT
    lines = [curve(place[need], place[name]) for name in lessons for need in lessons[name]["needs"] if need in place]
    boxes = [box(*place[name], lessons[name]["title"]) for name in lessons]
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    paper = f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>'
    body = "\n".join([paper, *lines, *boxes])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{STYLE}">\n{body}\n</svg>\n'


def curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to, down) = (start[0] + WIDTH, start[1] + HEIGHT // 2), (end[0], end[1] + HEIGHT // 2)
    half = (x + to) // 2
    return f'<path d="M{x} {y}C{half} {y} {half} {down} {to} {down}" fill="none" stroke="#6b7c93" stroke-width="1.5"/>'


def box(x: int, y: int, title: str) -> str:
    lines = textwrap.wrap(title, 24, max_lines=2, placeholder=" ...")
    middle, top = x + WIDTH // 2, y + HEIGHT // 2 + 4 - 8 * (len(lines) - 1)
    text = "".join(
        f'<text x="{middle}" y="{top + 16 * i}" text-anchor="middle" fill="#1b2733">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    shape = f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#eaf2fb" stroke="#3b6ea5"/>'
    return shape + text
