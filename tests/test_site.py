"""The site of a course full of odd cells: each costs itself at most and is named, and every link leads somewhere."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import site
from tools._page import LINE, shown

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
WIDGET = "application/vnd.jupyter.widget-view+json"
SECRET = "the text of a file elsewhere"
# what a cell put out; what its page shows; what is told about it
DATA = [
    ({"text/html": "<table><tr><td>half a table", "text/plain": "x"}, "<td>half a table</td>", ""),
    ({"text/html": "<b onclick='f()'>bold<script>evil()</script><style>p {}"}, "<b>bold</b>", ""),
    ({"text/html": "<i style='color:red;position:fixed'>c</i>"}, '<i style="color:red;">c</i>', ""),
    ({"text/html": ["not", 1], "text/plain": "plain twin"}, "plain twin", "its text/html cannot be shown"),
    ({"text/latex": r"$\frac{a}{b}$"}, "<mfrac>", ""),
    ({"text/latex": r"$\nonsense{a$", "text/plain": "latex twin"}, "latex twin", "its text/latex cannot be shown"),
    ({"image/svg+xml": "<svg><rect", "text/plain": "svg twin"}, "svg twin", "its image/svg+xml cannot be shown"),
    ({"image/png": "AAA", "text/plain": "png twin"}, "png twin", "its image/png cannot be shown"),
    ({"image/png": "!", "image/jpeg": "BBBB"}, "(not shown here: image/png, image/jpeg)", "its image/jpeg cannot"),
    ({"application/javascript": "alert(1)"}, "(not shown here: application/javascript)", ""),
    ({"application/json": {"a": [1, {}]}, "text/plain": "json twin"}, "json twin", ""),
    ({WIDGET: {"model_id": "x"}, "text/plain": "widget twin"}, "widget twin", ""),
    ({"x/&<b>`*": "?"}, "(not shown here: x/&amp;&lt;b&gt;`*)", ""),
    ({"text/plain": "a\0b\x1b[31mred\x1b[0m\ud800\x07c"}, "abredc", ""),
    ({"text/plain": "y" * 400_000}, "y ... (398000 more characters)", ""),
    ({"text/plain": "z\n" * 30_000}, "... (28001 more lines)", ""),
    ({"text/markdown": "> " * 500 + "deep"}, "", ""),
    ({"text/markdown": "# A heading\n\n[x]: y\n\n| a |\n|---|\n| `|` |"}, "A heading", ""),
    ({}, "", ""),
]
TEXT = [
    ("```{include} SECRET\n```", "{include}", ""),
    ("````{literalinclude} SECRET\n````", "{literalinclude}", ""),
    ("- 1\n\n  ~~~{eval-rst}\n  .. include:: SECRET\n  ~~~", "{eval-rst}", ""),
    ("```{raw} html\n:file: SECRET\n```", "{raw} html", ""),
    ("```{figure} SECRET\n```", "{figure}", ""),
    ("{download}`SECRET` here", "{download}", ""),
    ("![a picture](SECRET)", "a picture", "a picture by a path"),
    ("[a file](SECRET) and [a path](path:SECRET)", "a file", "a link to nothing: path:"),
    ("[nowhere](nowhere.ipynb)", "nowhere", "a link to nothing: nowhere.ipynb"),
    ("![far][1]\n\n[1]: https://example.org/x.png", "far", "a picture by a path: https://example.org/x.png"),
    ("<details><summary>Hint</summary>An *idea*</details>", "<details><summary>Hint</summary>", ""),
    ("before\n\n<!-- never closed\n\nafter", "never closed", "HTML that could reach beyond its place"),
    ("<script>evil()</script>", "evil()", "HTML that could reach beyond its place"),
    ("A note[^1]\n\n[^1]: no footnote", "[^1]: no footnote", ""),
    ("```mermaid\na --> b\n```", "a --> b", ""),
    ("% no comment\n\n(no-target)=\n\n+++ no break", "% no comment", ""),
    (r"A formula: $\nonsense m$", "nonsense m", "no MathML for this formula"),
]
RUN = {"error": None, "cell": "", "seconds": 1.0, "date": "2026-11-29 10:00", "settings": {"seed": "x|<y> `z` $a$"}}


def lesson(path: Path, *cells, title: str = "A lesson", question: str = "And $2$?") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"title": title, "question": question, "minutes": 7, "settles": []}
    book = new_notebook(metadata={"lesson": header}) | {"cells": [new_markdown_cell(f"# {path.stem}"), *cells]}
    path.write_text(json.dumps(book), encoding="utf-8")


def displayed(data: dict) -> dict:
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}}]  # not every one is valid
    return new_code_cell("show()", metadata={"name": "odd"}) | {"outputs": outputs}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The site of a course in which nearly everything is odd: its folder, and what was told about it."""
    root = tmp_path_factory.mktemp("course")
    secret, copies = root / "secret.txt", root / "build/course/notebooks"
    secret.write_text(SECRET)
    start = "![The map](01_x/map.svg) and [the section](01_x/README.md)"
    lesson(copies / "00_start.ipynb", new_markdown_cell(start))
    solution = "[All solutions](../../solutions/01_x/good.ipynb), [odd](odd.ipynb#a), [web](https://example.org)"
    picture = displayed({"image/png": PNG, "text/plain": "a dot"})
    picture |= {"source": "# What this <b> does\nshow()", "metadata": {"tags": ["fold", "hide-input"]}}
    lesson(
        copies / "01_x/good.ipynb",
        new_markdown_cell(solution),
        picture,
        title="Good | <b> $x$ {doc}`y`",
        question="Is `1 < 2`?",
    )
    lesson(
        root / "solutions/01_x/good.ipynb", new_markdown_cell("The solution. [Back](../../notebooks/01_x/good.ipynb)")
    )
    lesson(root / "notebooks/01_x/not_run.ipynb")
    section = "# Section one\n\n![Good leads to odd](map.svg)\n\n[Good](good.ipynb), [Not run](not_run.ipynb)"
    (root / "notebooks/01_x/README.md").write_text(section)
    (root / "notebooks/01_x/map.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (root / "notebooks/glossary.md").write_text("# Glossary\n\n- **Term**: a word ([Good](01_x/good.ipynb))")
    errors = [new_output("error", traceback=["\x1b[31mE\0rror\x1b[0m", "e" * 400_000])]
    streams = [new_output("stream", name=name, text=f"{name}\r\n\x1b[1mbold") for name in ("stdout", "stderr")]
    odd = [displayed(data) for data, _, _ in DATA]
    lesson(copies / "01_x/odd.ipynb", *odd, new_code_cell("1 / 0\n\0", outputs=[*errors, *streams]))
    texts = [new_markdown_cell(text.replace("SECRET", path)) for text, _, _ in TEXT for path in (str(secret),)]
    near = [new_markdown_cell(text.replace("SECRET", "../" * 5 + "secret.txt")) for text, _, _ in TEXT]
    lesson(copies / "01_x/text.ipynb", *texts, *near, new_markdown_cell("[later](not_run.ipynb)"))
    (copies / "01_x/cut.ipynb").write_text('{"cells": [')
    names = [path.relative_to(root / "build/course").as_posix() for path in copies.rglob("*.ipynb")]
    runs = {name: RUN for name in names} | {
        "notebooks/01_x/gone.ipynb": RUN | {"error": "no", "cell": "cell `1` | <b>"}
    }
    return root / "build/site", site.build(root, runs)


@pytest.mark.parametrize("case", DATA, ids=lambda case: "+".join(case[0]) or "nothing")
def test_an_odd_output_is_shown_or_named(course, case):
    _, wanted, told = case
    page = (course[0] / "notebooks/01_x/odd.html").read_text(encoding="utf-8")
    assert wanted in re.sub(r"<span[^>]*>|</span>", "", page) and "evil" not in page and "\ud800" not in page
    assert not told or any(line.startswith(f"notebooks/01_x/odd.ipynb: cell 'odd': {told}") for line in course[1])


@pytest.mark.parametrize("case", TEXT, ids=lambda case: case[0][:20])
def test_odd_text_is_inert_or_named(course, case):
    _, wanted, told = case
    page = re.sub(r"<span[^>]*>|</span>", "", (course[0] / "notebooks/01_x/text.html").read_text(encoding="utf-8"))
    assert wanted in unescape(page) and "<script>evil" not in page and "<!-- never" not in page
    assert not told or any(line.startswith("notebooks/01_x/text.ipynb") and told in line for line in course[1])


def test_nothing_from_outside_reaches_the_site(course):
    assert not [path for path in course[0].rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_lesson_without_a_page_says_so_and_the_others_are_there(course):
    assert "This lesson has no page: " in (course[0] / "notebooks/01_x/cut.html").read_text()
    assert any(line.startswith("notebooks/01_x/cut.ipynb: this lesson has no page") for line in course[1])
    assert not [line for line in course[1] if not re.match(r"notebooks/01_x/(odd|text|cut)\.ipynb", line)], course[1]


def test_the_front_page_is_the_courses(course):
    front = (course[0] / "index.html").read_text(encoding="utf-8")
    body = unescape(re.sub(r"<[^>]+>", "", front[front.index("<article") : front.index("</article>")]))
    assert "Good | <b> $x$ {doc}`y`" in body and "Is `1 < 2`?" in body and "And $2$?" in body
    assert "failed" not in body and "seconds" not in body and "make lab" in body
    log = (course[0] / "runs.html").read_text(encoding="utf-8")
    assert "x|&lt;y&gt; `z` $a$" in re.sub("</?span>", "", log) and "cell `1` | &lt;b&gt;" in log


def test_sections_their_maps_and_the_glossary_are_pages(course):
    site = course[0]
    front = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="notebooks/01_x/README.html"' in front and 'href="notebooks/glossary.html"' in front
    start, section = (site / "notebooks/00_start.html").read_text(), (site / "notebooks/01_x/README.html").read_text()
    assert front.count("_images/map.svg") == start.count("_images/map.svg") == section.count("_images/map.svg") == 1
    assert 'href="01_x/README.html"' in start and 'href="good.html"' in section and 'alt="Good leads to odd"' in section
    assert "Not run" in section and "not_run.html" not in section


def test_a_folded_cell_opens_under_its_first_line(course):
    page = (course[0] / "notebooks/01_x/good.html").read_text()
    summary = re.search(r"(?s)<details[^>]*>\s*<summary.*?</summary>.*?</details>", page)
    assert summary and "What this &lt;b&gt; does" in summary[0] and "show" in summary[0].partition("</summary>")[2]


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.ids = [], set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        self.found += [given[key] for key in ("href", "src") if given.get(key)]


def test_every_link_leads_somewhere(course):
    pages = {}
    for path in course[0].rglob("*.html"):
        if "_static" in path.parts:
            continue  # templates of the theme
        pages[path] = Links()
        pages[path].feed(path.read_text(encoding="utf-8"))
    for path, links in pages.items():
        for link in map(urlsplit, links.found):
            if not link.scheme and not link.netloc:
                there = (path.parent / unquote(link.path)).resolve() if link.path else path
                assert there.is_file(), f"{path}: {link.geturl()}"
                assert not link.fragment or there not in pages or link.fragment in pages[there].ids, link.geturl()
    good = course[0] / "notebooks/01_x/good.html"
    assert {"../../solutions/01_x/good.html", "odd.html", "https://example.org"} <= set(pages[good].found)


def test_a_lesson_on_which_sphinx_breaks_costs_itself_only(tmp_path, monkeypatch):
    def broken(self, token):
        raise RecursionError("too deep") if self.sphinx_env.docname.endswith("bad") else site.nodes.SkipNode

    monkeypatch.setattr(site, "render_picture", broken)
    for name in ("good", "bad"):
        cells = [new_markdown_cell("![x](y)")] if name == "bad" else []
        lesson(tmp_path / f"build/course/notebooks/{name}.ipynb", *cells)
    told = site.build(tmp_path, {f"notebooks/{name}.ipynb": RUN for name in ("good", "bad")})
    assert told == ["notebooks/bad.ipynb: this lesson has no page: RecursionError: too deep"]
    assert "too deep" in (tmp_path / "build/site/notebooks/bad.html").read_text()
    assert (tmp_path / "build/site/notebooks/good.html").exists()


def test_no_output_is_longer_than_its_limit():
    (cut,) = shown(new_output("stream", name="stdout", text="a" * 10**6 + "\n" * 10**5), [])
    assert len(cut.text) < 3 * LINE and nbformat.validate(new_notebook(cells=[new_code_cell(outputs=[cut])])) is None
