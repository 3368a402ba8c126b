"""A map of a section, as SVG: from left to right, each lesson beside the last one that it needs."""

from __future__ import annotations

import textwrap
from html import escape

WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 194, 40, 236, 48, 12
STYLE = "font-family:system-ui,sans-serif;font-size:13px"


def before(lessons: dict[str, dict]) -> dict[str, str | None]:
    """The lesson to the left of each: of those it needs in this section, the one that stands furthest to the right."""
    left: dict[str, str | None] = {}
    for name, lesson in lessons.items():
        needs = [need for need in lesson["needs"] if need in lessons]
        left[name] = max(needs, key=lambda need: (depth(need, left), needs.index(need)), default=None)
    return left


def depth(name: str, left: dict[str, str | None]) -> int:
    parent = left[name]
    return 0 if parent is None else 1 + depth(parent, left)


def places(left: dict[str, str | None]) -> dict[str, tuple[int, int]]:
    """Column and row of each lesson: the first that follows another stands in its row, the next ones below."""
    place: dict[str, tuple[int, int]] = {}

    def put(name: str, row: int) -> int:
        place[name] = depth(name, left), row
        for i, follower in enumerate([other for other in left if left[other] == name]):
            row = put(follower, row + (i > 0))
        return row

    row = -1
    for name in [name for name in left if left[name] is None]:
        row = put(name, row + 1)
    return place


def drawn(lessons: dict[str, dict]) -> str:
    left = before(lessons)
    place = {name: (EDGE + ACROSS * x, EDGE + DOWN * y) for name, (x, y) in places(left).items()}
    width = EDGE + WIDTH + max(x for x, _ in place.values())
    height = EDGE + HEIGHT + max(y for _, y in place.values())
    paper = f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>'
    lines = [curve(place[parent], place[name]) for name, parent in left.items() if parent]
    body = "\n".join([paper, *lines, *(box(*place[name], lessons[name]["title"]) for name in lessons)])
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{STYLE}">\n{body}\n</svg>\n'


def said(lessons: dict[str, dict]) -> str:
    """What the map shows, in words, for who cannot see it."""
    left = before(lessons)
    after = {name: [lessons[other]["title"] for other in left if left[other] == name] for name in left}
    return "; ".join(f"{lessons[name]['title']} leads to {', '.join(then)}" for name, then in after.items() if then)


def curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to, down) = (start[0] + WIDTH, start[1] + HEIGHT // 2), (end[0], end[1] + HEIGHT // 2)
    half = (x + to) // 2
    return f'<path d="M{x} {y}C{half} {y} {half} {down} {to} {down}" fill="none" stroke="#6b7c93" stroke-width="1.5"/>'


def box(x: int, y: int, title: str) -> str:
    lines = textwrap.wrap(title.partition(":")[0], 24, max_lines=2, placeholder=" ...")
    middle, top = x + WIDTH // 2, y + HEIGHT // 2 + 4 - 8 * (len(lines) - 1)
    text = "".join(
        f'<text x="{middle}" y="{top + 16 * i}" text-anchor="middle" fill="#1b2733">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    shape = f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#eaf2fb" stroke="#3b6ea5"/>'
    return shape + text
