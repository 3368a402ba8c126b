"""The course from its headers: a new room is found everywhere, every link leads somewhere, bad headers are refused."""

import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from tools import _course, _pages, build
from tools.build import EDITIONS, ROOT, edition, sources, target

LINK = re.compile(r"(?<!`)\[[^\]]*\]\(<?([^)\s>]+)>?\)|(?:src|href)=\"([^\"]+)\"")
FIRST, SECOND = "01_x/01_first", "01_x/02_second"
LESSON = """# ---
# jupyter:
#   lesson: {{title: {title}, question: "Is {title} there?", minutes: {minutes}, needs: [{needs}], settles: []{more}}}
# ---

# %% [markdown] name="goal"
# # {title}
#
# A **ninefold step** is a [move](#code). It is small; a **long step** is not.

# %% name="code"
1
"""
SECTION = (
    "---\ntitle: Part one\nanswers: What is it?\npaths: {evening: [01_first], day: [01_first, 02_second]}\n---\nText.\n"
)


def add(root: Path, name: str, title: str, needs: str = "", minutes: int = 30, more: str = "") -> Path:
    source = root / "lessons" / name / "lesson.py"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(LESSON.format(title=title, needs=needs, minutes=minutes, more=more), encoding="utf-8")
    return source


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "ROOT", tmp_path)
    claims = "{C1: {verdict: refuted, cell: code, says: It is small.}}"
    add(tmp_path, FIRST, "First", more=f", terms: [long step], claims: {claims}")
    (tmp_path / "lessons/source_map.yml").write_text("ids: {C1: steps are long, E1: they are not}\n")
    add(tmp_path, SECOND, "Second", "01_first")
    (tmp_path / "lessons/01_x/section.md").write_text(SECTION)
    (tmp_path / "README.md").write_text(
        "It takes <!-- hours -->?<!-- /hours -->.\n\n<!-- lessons --><!-- /lessons -->\n"
    )
    return tmp_path


def test_the_pages_are_what_the_headers_give():
    assert _pages.stale(ROOT) == [], "run: make notebooks"


def test_a_new_room_is_found_everywhere(tmp_path):
    """A copy of this course, and one folder more: every table, map and link has it; no other file was touched."""
    shutil.copytree(ROOT / "lessons", tmp_path / "lessons")
    shutil.copy(ROOT / "README.md", tmp_path)
    last = [name for name in _course.headers(tmp_path) if name.startswith("03_algorithms/")][-1]
    add(tmp_path, "03_algorithms/99_new", "A new lesson", "04_adam", more=", terms: [ninefold step]")
    made = _pages.pages(tmp_path)
    assert (
        "[A new lesson](notebooks/03_algorithms/99_new.ipynb) | Is A new lesson there? | 30 | [Adam]("
        in made["README.md"]
    )
    assert "[A new lesson](99_new.ipynb)" in made["notebooks/03_algorithms/README.md"]
    assert "A new lesson" in made["notebooks/03_algorithms/map.svg"]
    assert (
        "- A **ninefold step** is a move. ([A new lesson](03_algorithms/99_new.ipynb))" in made["notebooks/glossary.md"]
    )
    start, before = (
        edition(tmp_path / "lessons" / name / "lesson.py", "notebooks") for name in ("00_start_here", last)
    )
    assert "[A new lesson](03_algorithms/99_new.ipynb)" in "".join(c.source for c in start.cells)
    assert "Next: [A new lesson](99_new.ipynb)" in before.cells[-1].source


def test_each_lesson_leads_to_its_sources(course):
    source = "- A. Author, 2019: *Title*, arXiv 1910.05446; see [here](01_first.ipynb)."
    text = f'\n# %% [markdown] name="sources"\n# ## Sources\n#\n# {source}\n'
    lesson = course / "lessons" / SECOND / "lesson.py"
    lesson.write_text(lesson.read_text(encoding="utf-8") + text, encoding="utf-8")
    page = _pages.pages(course)["notebooks/sources.md"]
    found = "- A. Author, 2019: *Title*, arXiv [1910.05446](https://arxiv.org/abs/1910.05446); see here."
    assert f"### [Second](01_x/02_second.ipynb)\n\n{found}\n" in page and "First" not in page


def test_a_lesson_says_what_it_needs_and_leads_on(course):
    first, second = (edition(course / "lessons" / name / "lesson.py", "solutions").cells for name in (FIRST, SECOND))
    assert "30 minutes, 1 of them reading.* *It needs* [First](01_first.ipynb)." in second[0].source
    assert "needs" not in first[0].source and "Before" not in first[-1].source and "Next" not in second[-1].source
    assert "Next: [Second](02_second.ipynb)" in first[-1].source and "Before: [First](" in second[-1].source
    assert "[This lesson with open exercises](../../notebooks/01_x/02_second.ipynb)" in second[-1].source


def test_pages_of_a_small_course(course):
    made = _pages.pages(course)
    assert made["README.md"].startswith("It takes <!-- hours -->1 hours<!-- /hours -->.")
    assert "- It is small; a **long step** is not. ([First](01_x/01_first.ipynb))" in made["notebooks/glossary.md"]
    section = made["notebooks/01_x/README.md"]
    assert "**A workshop day** (1 h 00 min): [First](01_first.ipynb), [Second](02_second.ipynb)." in section
    assert "![A map of the lessons: First leads to Second.](map.svg)" in section
    found = made["notebooks/claims.md"]
    assert "| steps are long | **refuted** | It is small. | [First, *First*](01_x/01_first.ipynb#First) |" in found
    assert "0 confirmed, 0 conditional, 1 refuted" in found
    _pages.write(course, course)
    assert _pages.stale(course) == []
    add(course, SECOND, "Renamed", "01_first")
    assert sorted(_pages.stale(course)) == ["README.md", "notebooks/01_x/README.md", "notebooks/01_x/map.svg"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (
            {"needs": "03_third"},
            "01_x/02_second: needs names '01_x/03_third'; allowed are lessons before it: 01_x/01",
        ),
        ({"needs": "02_second"}, "01_x/02_second: needs names '01_x/02_second'"),
        ({"more": ", terms: [descent]"}, "terms names 'descent', and its text has no **descent**"),
        ({"more": ", terms: [one two three four five]"}, "a term has at most four words"),
        (
            {"more": ", claims: {C1: {verdict: true, cell: code, says: It is.}}"},
            "claims has C1: {'verdict': True, 'cell': 'code', 'says': 'It is.'}; allowed is {verdict: confirmed or",
        ),
        ({"more": ", claims: {C1: {verdict: refuted, cell: code}}"}, "claims has C1: {'verdict': 'refuted', 'cell'"),
        (
            {"more": ", claims: {C1: {verdict: refuted, cell: goal, says: It is.}}"},
            "claims has C1 with the cell 'goal', which is no code cell of the lesson",
        ),
    ],
)
def test_a_header_that_cannot_hold_is_refused(course, header, says):
    source = add(course, SECOND, "Second", **header)
    with pytest.raises(ValueError, match=re.escape(says)):
        edition(source, "notebooks")


def test_minutes_below_the_reading_time_are_refused(course):
    source = add(course, SECOND, "Second", minutes=2)
    source.write_text(source.read_text() + '\n# %% [markdown] name="long"\n# ' + "word " * 700)
    with pytest.raises(ValueError, match="01_x/02_second: minutes is 2, and reading alone takes 4"):
        edition(source, "notebooks")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (SECTION, "", "lessons/01_x/section.md must be there and begin with title, answers and paths"),
        ("answers: What is it?\n", "", "must be there and begin with title, answers and paths"),
        ("paths: {", "paths:\nother: {", "must be there and begin with"),
        ("evening: [01_first], ", "", "paths (evening, day: lists of lessons)"),
        (
            "[01_first, 02",
            "[03_third, 02",
            "section.md: paths names '01_x/03_third'; allowed are 01_x/01_first, 01",
        ),
    ],
)
def test_a_section_that_cannot_hold_is_refused(course, old, new, says, capsys):
    (course / "lessons/01_x/section.md").write_text(SECTION.replace(old, new))
    with pytest.raises(ValueError, match=re.escape(says)):
        _pages.pages(course)
    assert build.main(["--check"]) == 1 and says in capsys.readouterr().out


def test_an_unknown_block_of_the_readme_is_refused(course):
    (course / "README.md").write_text("<!-- lesons --><!-- /lesons -->")
    with pytest.raises(ValueError, match="no block 'lesons'; allowed are lessons, hours"):
        _pages.pages(course)


def anchors(path: Path) -> set[str]:
    """The headings of a page, as JupyterLab and code hosts name them."""
    lines = re.sub("(?ms)^```.*?^```$", "", text_of(path)).splitlines()
    said = [re.sub(r"[`*]|\[|\]\(.*?\)", "", line.lstrip("# ")) for line in lines if re.match("#+ ", line)]
    return {
        name
        for text in said
        for name in (text.replace(" ", "-"), re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-"))
    }


def text_of(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown")


def broken(page: Path) -> list[str]:
    bad = []
    for link in [unquote(a or b) for a, b in LINK.findall(text_of(page))]:
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        if re.match("[a-z]+:", link):
            continue
        if not there.exists() or (anchor and there.suffix in (".md", ".ipynb") and anchor not in anchors(there)):
            bad.append(f"{page}: {link}")
    return bad


@pytest.mark.parametrize("kind", EDITIONS)
def test_every_link_of_the_notebooks_leads_somewhere(kind):
    assert [bad for source in sources() for bad in broken(target(source, kind))] == []


def test_every_link_of_the_pages_leads_somewhere():
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("notebooks/**/*.md"),
        *ROOT.glob("lessons/**/*.md"),
        *ROOT.glob("results/*.md"),
    ]
    assert len(pages) > 5 and [bad for page in pages for bad in broken(page)] == []


@pytest.mark.parametrize("link", ["nowhere.md", "there.md#nothing", "#nothing", "../README.md"])
def test_a_broken_link_is_seen(tmp_path, link):
    (tmp_path / "there.md").write_text("# A heading\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n[a](there.md) [b](there.md#a-heading) [c](#page) [d](https://x.org) [e]({link})\n")
    assert broken(page) == [f"{page}: {link}"]
