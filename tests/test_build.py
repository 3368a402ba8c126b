"""The builder on a tiny course: what it refuses, what it keeps, what it leaves behind when it is ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from tools import build
from tools.build import edition, foreign_pictures, place, stale

ROOT = Path(__file__).resolve().parent.parent
MINI = """# ---
# jupyter:
#   lesson: {title: Mini, question: "Why?", minutes: 1, needs: [], settles: []}
# ---

# %% [markdown] name="title" lang="en"
# # Mini

# %% [markdown] name="title" lang="zh"
# # 迷你

# %% name="code"
def answer():
    ### BEGIN SOLUTION
    return 42
    ### END SOLUTION

# %% [markdown] name="once"
# Twice.

# %% [markdown] name="again"
# Twice.

# %% name="use"
answer()
"""
STUB = "def answer():\n    ..."
CONFLICT = "<<<<<<< HEAD\n{}\n=======\nmy own work\n>>>>>>> main\n"


@pytest.fixture
def mini(tmp_path, monkeypatch):
    source = tmp_path / "lessons" / "01_x" / "mini" / "lesson.py"
    source.parent.mkdir(parents=True)
    source.write_text(MINI, encoding="utf-8")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    return source


def test_languages_and_editions(mini):
    english, chinese = edition(mini, "notebooks"), edition(mini, "solutions", "zh")
    assert [c.source.partition("\n")[0] for c in (english.cells[0], chinese.cells[0])] == ["# Mini", "# 迷你"]
    assert [c.source for c in (english.cells[2], chinese.cells[2])] == [STUB, STUB.replace("...", "return 42")]
    assert [c.id for c in english.cells[1:]] == [c.id for c in chinese.cells[1:]]
    assert len({c.id for c in english.cells}) == 7  # equal cells get ids of their own


def test_a_byte_order_mark_is_no_text(mini):
    wanted = edition(mini, "notebooks")
    mini.write_text(MINI, encoding="utf-8-sig")
    assert edition(mini, "notebooks") == wanted


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    ### END SOLUTION\n", "", "cell 'code': '### BEGIN SOLUTION' marks no solution"),
        ("    ### BEGIN SOLUTION\n", "", "cell 'code': '### END SOLUTION' marks no solution"),
        ("### BEGIN SOLUTION", "### BEGIN SOLUTION\n    ### BEGIN SOLUTION", "'### BEGIN SOLUTION' marks"),
        ("### BEGIN SOLUTION", "### BEGIN SOLUTION \n", "'### BEGIN SOLUTION' marks"),
        ("### END SOLUTION", "### END OF SOLUTION", "'### BEGIN SOLUTION' marks no solution"),
        ("# Twice.", "# Twice.\n#\n# ### END OF SOLUTION", "'### END OF SOLUTION' marks"),
        (' name="code"', "", "cell 'def answer\\(\\):': a cell needs a name"),
        (' name="once"', "", "cell 'Twice.': a cell needs a name"),
        ("# %% name", "x = 1\n\n# %% name", "line 12: 'x = 1' would become prose"),
        ('"use"', '"code"', "2 cells have the name 'code'"),
        ('# %% [markdown] name="title" lang="zh"\n# # 迷你\n', "", "no text in the language 'zh', only in en"),
        (
            "# Twice.",
            '# Twice.\n\n# %% [markdown] lang="en"\n# Only here.',
            "from 'Only here.' on, a cell lacks its twin",
        ),
        ("[markdown]", "[markdwon]", "is no header of a cell"),
        ("name=", "nmae=", "'# %% .*nmae=\"title\".*' is no header of a cell"),
        ("minutes: 1", "minuts: 1", "minutes is None"),
        ("minutes: 1", "minutes: soon", "minutes is 'soon'"),
        ("settles: []", "settles: F1", "settles is 'F1'"),
        ("needs: [], ", "", "needs is None"),
        ('question: "Why?"', 'question: ""', "question is ''"),
        ("settles", "studys: [], settles", "a lesson has no studys; allowed are title, "),
        ('name="use"', 'name="use" tags=["fold"]', "cell 'use': a folded cell is code, and its first line"),
        ('name="once"', 'name="once" tags=["fold"]', "cell 'once': a folded cell is code"),
        ("title: Mini, ", "", "title is None"),
        (MINI, "", "title is None"),
    ],
)
def test_a_source_that_would_lose_or_leak_something_is_refused(mini, old, new, says):
    mini.write_text(MINI.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"mini/lesson\.py.*{says}"):
        edition(mini, "notebooks", "zh")


@pytest.mark.parametrize(
    "marker", ["### begin solution", "### BEGIN SOLUTIONS", "#### BEGIN SOLUTION", "# BEGN SOLUTION"]
)
@pytest.mark.parametrize("other", [str, lambda line: line.replace("BEGIN", "END").replace("begin", "end"), str.title])
def test_a_misspelt_marker_is_refused(mini, marker, other):
    text = MINI.replace("### BEGIN SOLUTION", marker).replace("### END SOLUTION", other(marker))
    mini.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"mini/lesson\.py, cell 'code': '#+ \w+ \w+' marks no solution"):
        edition(mini, "notebooks")


def test_a_source_in_another_encoding_is_refused(mini):
    mini.write_bytes(MINI.replace("迷你", "é").encode("latin-1"))
    with pytest.raises(ValueError, match=r"mini/lesson\.py is not UTF-8"):
        edition(mini, "notebooks")


def test_a_folded_cell_is_folded_in_both_and_a_reader_may_open_it(mini, tmp_path):
    mini.write_text(MINI.replace('name="use"\n', 'name="use" tags=["fold"]\n# Call it\n'), encoding="utf-8")
    book = edition(mini, "notebooks")
    (cell,) = (c for c in book.cells if c.metadata["name"] == "use")
    assert cell.metadata["jupyter"] == {"source_hidden": True} and "hide-input" in cell.metadata["tags"]
    del cell.metadata["jupyter"]
    path = tmp_path / "notebooks" / "01_x" / "mini.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(book, path)
    assert not stale(mini, "notebooks")


def test_what_jupyterlab_completes_is_no_change(mini, tmp_path):
    found = edition(mini, "notebooks")
    found.metadata |= {"language_info": {"name": "python", "version": "3.99"}, "kernelspec": {"name": "conda-x"}}
    found.cells[2].metadata |= {
        "execution": {"shell.execute_reply": "now"},
        "slideshow": {"slide_type": ""},
        "tags": [],
    }
    path = tmp_path / "notebooks" / "01_x" / "mini.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(found, path)
    assert not stale(mini, "notebooks")
    found.cells[2].metadata["tags"] = ["parameters"]
    nbformat.write(found, path)
    assert stale(mini, "notebooks")


@pytest.mark.parametrize("broken", [CONFLICT, "", "null", "[]", "{}", '{"cells": [', "\udcff"])
def test_a_broken_notebook_is_stale_replaced_and_kept(mini, tmp_path, broken):
    path = tmp_path / "notebooks" / "01_x" / "mini.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(broken, encoding="utf-8", errors="surrogateescape")
    before = path.read_bytes()
    assert stale(mini, "notebooks")
    told = place(edition(mini, "notebooks"), path, tmp_path)
    (kept,) = (tmp_path / "replaced" / "notebooks" / "01_x").iterdir()
    assert (
        kept.read_bytes() == before
        and not stale(mini, "notebooks")
        and f"kept: replaced/notebooks/01_x/{kept.name}" in told
    )


def test_every_replaced_notebook_is_kept(mini, tmp_path):
    paths = [tmp_path / kind / name for kind in build.EDITIONS for name in ("00_start.ipynb", "01_x/00_start.ipynb")]
    for _ in range(2):
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"my own work in {path}")
            place(edition(mini, "notebooks"), path, tmp_path)
    kept = [path.read_text() for path in (tmp_path / "replaced").rglob("*.ipynb")]
    assert sorted(kept) == sorted(2 * [f"my own work in {path}" for path in paths])


def test_a_build_is_byte_stable_and_keeps_a_learners_edits(mini, tmp_path):
    path = tmp_path / "notebooks" / "01_x" / "mini.ipynb"
    job = (mini, "notebooks", "en", path.parent)
    place(build.build(job), path, tmp_path)
    first = path.read_bytes()
    place(build.build(job), path, tmp_path)
    assert path.read_bytes() == first and not (tmp_path / "replaced").exists() and not stale(mini, "notebooks")
    edited = nbformat.read(path, as_version=4)
    edited.cells[1].source = "my own work"
    nbformat.write(edited, path)
    assert stale(mini, "notebooks")
    place(build.build(job), path, tmp_path)
    (kept,) = (tmp_path / "replaced").rglob("*.ipynb")
    assert "my own work" in kept.read_text(encoding="utf-8") and path.read_bytes() == first


@pytest.mark.parametrize(
    ("cell", "says"), [("1 / 0", "ZeroDivisionError"), ("import sys; print('!', file=sys.stderr)", "wrote to stderr")]
)
def test_a_lesson_that_fails_or_warns_is_not_built(mini, tmp_path, cell, says):
    mini.write_text(MINI + f'\n# %% name="bad"\n{cell}\n', encoding="utf-8")
    said = build.build((mini, "notebooks", "en", tmp_path))
    assert said.startswith("FAILED mini (notebooks)") and says in said


def test_a_picture_from_elsewhere_is_seen():
    def cell(source, picture):
        output = nbformat.v4.new_output("display_data", {"image/png": picture}, metadata={"image/png": {"alt": "a"}})
        return nbformat.v4.new_code_cell(source, id=source, metadata={"name": source}, outputs=[output])

    book = nbformat.v4.new_notebook(cells=[cell("one", "AAAA"), cell("two", "BBBB")])
    assert foreign_pictures(book) == ["one", "two"]  # never built
    build.seal_pictures(book)
    assert not foreign_pictures(nbformat.reads(nbformat.writes(book), as_version=4))
    one, two = book.cells
    one.outputs, two.outputs = two.outputs, one.outputs
    assert foreign_pictures(book) == ["one", "two"]
    one.outputs, two.outputs = two.outputs, one.outputs
    two.outputs[0].data["image/png"] = "CCCC"
    one.source += " "
    assert foreign_pictures(book) == ["one", "two"]


@pytest.mark.parametrize("shown", ['<img alt="a" src="data:image/png;base64,AAAA">', "<svg/>", "<SCRIPT>x()</SCRIPT>"])
def test_a_picture_in_html_is_sealed_like_any_other(shown):
    outputs = [nbformat.v4.new_output("display_data", {"text/html": html}) for html in (shown, "<table></table>")]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("draw()", id="one", outputs=outputs)])
    assert foreign_pictures(book) == ["one"]
    build.seal_pictures(book)
    assert not foreign_pictures(nbformat.reads(nbformat.writes(book), as_version=4))
    outputs[0].data["text/html"] = shown.replace("A", "B").replace("/", "//")
    assert foreign_pictures(book) == ["one"]


@pytest.mark.parametrize("kind", build.EDITIONS)
def test_every_stored_picture_was_drawn_by_the_code_beside_it(kind):
    for source in build.sources():
        assert not foreign_pictures(nbformat.read(build.target(source, kind), as_version=4)), (
            f"{source}: make notebooks"
        )


SLEEP = MINI + '\n# %% name="sleep"\nimport os, time\nopen("pid", "w").write(str(os.getpid()))\ntime.sleep(100)\n'
COMMAND = "from pathlib import Path; from tools import _command, build; build.ROOT = Path({!r}); _command.start(); {}"


@pytest.mark.parametrize("number", ["SIGHUP", "SIGKILL"])
def test_nothing_outlives_a_build(mini, tmp_path, number):
    mini.write_text(SLEEP, encoding="utf-8")
    code = COMMAND.format(str(tmp_path), "raise SystemExit(build.main())")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL)
    pids = [tmp_path / kind / "01_x" / "pid" for kind in build.EDITIONS]
    while not all(pid.exists() and pid.read_text() for pid in pids):
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.05)
    started = psutil.Process(process.pid).children(recursive=True)
    assert {int(pid.read_text()) for pid in pids} < {child.pid for child in started}
    process.send_signal(getattr(signal, number))
    assert process.wait(timeout=200) == {"SIGHUP": 128 + signal.SIGHUP, "SIGKILL": -signal.SIGKILL}[number]
    _, alive = psutil.wait_procs(started, timeout=200)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    assert not list((tmp_path / "notebooks").rglob("*.ipynb"))


def test_any_text_reaches_a_console_of_any_code_page(tmp_path):
    code = COMMAND.format(str(tmp_path), "print('FAILED \\u03b7 \\u4f60')")
    ascii_console = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=ascii_console, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "FAILED \\u03b7 \\u4f60\n", done.stderr


def test_a_lesson_is_named_by_its_room_or_its_source(mini, tmp_path, capsys):
    for path in (mini, mini.parent):
        assert build.main(["--check", str(path)]) == 1
        assert capsys.readouterr().out.count("01_x/mini.ipynb is not what lessons/ gives") == 2


@pytest.mark.parametrize("path", ["lessons", "lessons/nothing.py", "lessons/03_algorithms/04_adam/exercises.py"])
def test_a_path_that_is_no_lesson_is_refused(path, capsys):
    with pytest.raises(SystemExit):
        build.main(["--check", path])
    assert "is not a lesson" in capsys.readouterr().err


def test_check_names_what_it_cannot_build(mini, capsys):
    mini.write_text("", encoding="utf-8")
    assert build.main(["--check"]) == 1
    assert "notebooks/01_x/mini.ipynb cannot be built: mini/lesson.py: its first lines must" in capsys.readouterr().out
