"""`make run` on small courses: what fails is named, the rest goes on, and the site needs no network."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import nbformat
import psutil
import pytest

from tools import run as course_run

ROOT = Path(__file__).resolve().parent.parent
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
PICTURE = f"""\
display({{"image/png": "{PNG}"}}, raw=True, metadata={{"image/png": {{"alt": "a red dot"}}}})"""
CHILDREN = """\
import subprocess
subprocess.Popen(["sleep", "600"], start_new_session=True)
subprocess.Popen(["sh", "-c", "sleep 600 &"], env={})
open("begun", "w").close()"""


def write(path: Path, *cells: str, parameters: bool = True) -> None:
    """A notebook whose last cell is named "last", so that a report can be checked for the name."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# Lesson {path.stem}\n\nWith $\\hat m_t$.")])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    if parameters:
        first = 'device = "auto"\nseed = 0\nprofile = "quick"'
        book.cells.append(nbformat.v4.new_code_cell(first, metadata={"tags": ["parameters"]}))
    book.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    book.cells[-1].metadata["name"] = "last"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


def command(root: Path, *args: str) -> list[str]:
    return [sys.executable, "-m", "tools.run", "--root", str(root), *args]


def run(root: Path, *args: str, **env: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "TRIAL": str(root), **env}
    return subprocess.run(command(root, *args), cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)


def state(root: Path) -> dict:
    return json.loads((root / "build/course/state.json").read_text())


def below(root: Path) -> list[psutil.Process]:
    """The living processes that a run of ours in this course started; a kernel's child without environment, too."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("TRIAL") == str(root) or process.cmdline() == ["sleep", "600"]
            found += [process] * (ours and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            pass
    return found


def assert_nothing_lives(root: Path) -> None:
    for _ in range(100):
        if not (left := below(root)):
            return
        time.sleep(0.1)
    for process in left:
        process.kill()
    raise AssertionError(left)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """One run of a course in which nearly everything goes wrong: its root, its sources, what it printed."""
    root = tmp_path_factory.mktemp("course")
    books = root / "notebooks"
    quiet = "import os\nassert os.environ['OMP_NUM_THREADS'] == '1' and os.environ['LESSONS_PROGRESS'] == 'off'"
    write(books / "00_good.ipynb", quiet, "assert seed == 7 and device == 'auto'", PICTURE)
    write(books / "01_bad/01_raises.ipynb", "x = 1", "# before | after\nraise ValueError('η → θ')")
    write(books / "01_bad/02_dies.ipynb", "x = 1", "import os\nos._exit(0)", "x = 2")
    write(books / "01_bad/03_hangs.ipynb", "import time\nwhile True: time.sleep(1)")
    write(books / "01_bad/04_plain.ipynb", "x = 1", parameters=False)
    write(books / "01_bad/05_exits.ipynb", "import sys\nsys.exit()", "x = 1")
    write(books / "01_bad/06_quits.ipynb", CHILDREN, "quit()")
    write(books / "01_bad/07_floods.ipynb", "while True: print(9**999)")
    (root / "lessons_lib").mkdir()
    before = {path: path.read_bytes() for path in books.rglob("*") if path.is_file()}
    return root, before, run(root, "--seed", "7", "--cell-timeout", "20", "--jobs", "4", PYTHONIOENCODING="ascii")


def test_failures_are_named_and_the_others_run(course):
    root, before, done = course
    assert done.returncode == 1, done.stderr
    out = done.stdout
    assert "01_bad/01_raises.ipynb, cell 4 (last): # before | after" in out
    assert r"ValueError: \u03b7 \u2192 \u03b8" in out and "\x1b" not in out
    assert "01_bad/02_dies.ipynb, cell 4: import os" in out and "Kernel died" in out
    assert "01_bad/03_hangs.ipynb, cell 3 (last): import time" in out and "timed out" in out
    assert "01_bad/04_plain.ipynb, before the first cell" in out and "no seed" in out
    assert "01_bad/05_exits.ipynb, cell 3: import sys\n    the cell ended the program" in out
    assert "01_bad/06_quits.ipynb, cell 4 (last): quit()\n    the cell ended the program" in out
    assert "07_floods.ipynb, cell 3 (last): while True: print(9**999)\n    the cell wrote more than 1,000,000" in out
    assert re.search(r"^ok +\d+\.\d  notebooks/00_good.ipynb$", out, re.M)
    assert {name for name, entry in state(root).items() if not entry["error"]} == {"notebooks/00_good.ipynb"}
    assert state(root)["notebooks/01_bad/02_dies.ipynb"]["seconds"] < 60, "a dead kernel was noticed late"
    assert {path: path.read_bytes() for path in before} == before and len(list((root / "notebooks").rglob("*.*"))) == 8
    assert_nothing_lives(root)


def test_site_is_whole_and_needs_no_network(course):
    site = course[0] / "build/site"
    log, page = (site / "runs.html").read_text(), (site / "notebooks/00_good.html").read_text()
    assert "build/site/index.html" in course[2].stdout
    assert log.count("<strong>failed</strong>") == 7 and "# before | after" in log and "seed 7" in log
    assert "<math>" in page and "MathJax" not in page and 'alt="a red dot"' in page
    assert "Search.setIndex" in (site / "searchindex.js").read_text()
    for html in site.rglob("*.html"):
        assert not re.search(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']?(?:https?:)?//", html.read_text()), (
            html
        )
    for css in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", css.read_text()), css


@pytest.mark.parametrize("end", ["SIGINT", "SIGHUP", "SIGKILL"])
def test_nothing_outlives_a_run_and_its_state_is_whole(tmp_path, end):
    alone = end != "SIGINT"
    if not alone:
        write(tmp_path / "notebooks/a.ipynb", "x = 1")
    write(tmp_path / "notebooks/b.ipynb", CHILDREN, "import time\ntime.sleep(600)")
    env = {**os.environ, "TRIAL": str(tmp_path)}
    process = subprocess.Popen(command(tmp_path, "--jobs", "2"), cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    for _ in range(1200):
        if (tmp_path / "build/course/notebooks/begun").exists() and (alone or state(tmp_path)):
            break
        time.sleep(0.1)
    if not alone:
        second = run(tmp_path)
        assert second.returncode == 1 and f"process {process.pid} is at work in {tmp_path}" in second.stderr
    process.send_signal(getattr(signal, end))
    out, _ = process.communicate(timeout=60)
    assert list(state(tmp_path)) == ([] if alone else ["notebooks/a.ipynb"])
    assert_nothing_lives(tmp_path)
    if end != "SIGKILL":
        assert process.returncode == 130 and ("0 of 1" if alone else "1 of 2") + " notebooks have run" in out
        assert not list((tmp_path / "build/course").glob("run-*"))


def test_notebook_that_takes_too_long_ends(tmp_path):
    write(tmp_path / "notebooks/slow.ipynb", "import time\ntime.sleep(600)")
    done = run(tmp_path, "--no-site", "--notebook-timeout", "1")
    assert done.returncode == 1 and "the notebook did not end within 1 s" in done.stdout
    assert_nothing_lives(tmp_path)


def test_runs_where_an_event_loop_has_no_signal_handlers_and_there_are_no_sessions(tmp_path):
    """As on Windows. The notebook edits the library and puts it back: what it saw is not what is there."""
    library = tmp_path / "lessons_lib/a.py"
    library.parent.mkdir()
    library.write_text("x = 1")
    edit = f"p = __import__('pathlib').Path({str(library)!r})\np.write_text('x = 2'), p.write_text('x = 1')"
    write(tmp_path / "notebooks/edits.ipynb", edit)
    windows = """\
import asyncio, signal, subprocess, sys
def missing(*_): raise NotImplementedError
asyncio.get_event_loop_policy()._loop_factory.add_signal_handler = missing
del signal.SIGHUP
popen = subprocess.Popen.__init__
def start(self, *args, start_new_session=False, **more): popen(self, *args, **more)
subprocess.Popen.__init__ = start
from tools.run import main
sys.exit(main(["--no-site", "--root", sys.argv[1]]))"""
    done = subprocess.run([sys.executable, "-c", windows, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and re.search("^ok ", done.stdout, re.M), done.stdout + done.stderr
    assert state(tmp_path)["notebooks/edits.ipynb"]["key"] is None, "the library was touched, and the result kept"


@pytest.fixture
def quick(tmp_path, monkeypatch, capsys):
    """A course of one lesson, and how to run it in no time: a copy is what its source is."""
    source, copy = tmp_path / "notebooks/a.ipynb", tmp_path / "build/course/notebooks/a.ipynb"
    write(source, "x = 1")

    async def attempt(job, limit, cut=None):
        first = Path(job["folder"]).name == "0"
        assert not (first and copy.exists()), "only a finished copy has that place"
        data = Path(job["folder"], "source.ipynb").read_bytes()
        Path(job["folder"], "copy.ipynb").write_bytes(data[:cut])
        return {"error": None, "settings": {}}

    monkeypatch.setitem(sys.modules, "tools.site", SimpleNamespace(build=lambda root, runs: []))

    def go(*args: str, cut: int | None = None) -> tuple[int, str]:
        monkeypatch.setattr(course_run, "attempt", lambda job, limit: attempt(job, limit, cut))
        status = course_run.main(["--root", str(tmp_path), *args])
        return status, capsys.readouterr().out

    return go, source, copy


def test_second_run_repeats_what_failed_or_changed(quick):
    go, source, _ = quick
    go()
    write(source.with_name("b.ipynb"), "x = 1")
    status, out = go()
    assert status == 0 and re.findall(r"^(?:ok|unchanged) .*/(.*)$", out, re.M) == ["b.ipynb", "a.ipynb", "b.ipynb"]
    library = source.parents[1] / "lessons_lib/new.py"
    library.parent.mkdir()
    library.write_text("x = 1")
    assert "unchanged" not in go()[1], "the library changed"
    assert "unchanged" not in go("--seed", "1")[1]
    assert go("--seed", "1")[1].count("unchanged") == 2


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b'{"a": ', b"\xff", b'{"notebooks/a.ipynb": {"key": 1}}'])
def test_broken_record_is_said_and_counts_as_nothing(quick, text):
    go, _, copy = quick
    record = copy.parent.parent / "state.json"
    assert go()[0] == 0 and "unchanged" in go()[1]
    record.write_text("{}")  # as after a run that was ended early
    assert "cannot be read" not in go()[1]
    record.write_bytes(text)
    status, out = go()
    assert status == 0 and out.count("cannot be read") == 1 and re.search("^ok ", out, re.M)
    assert "unchanged" in go()[1]


def test_cut_copy_is_said_and_run_again(quick):
    go, _, copy = quick
    status, out = go(cut=300)
    assert status == 1 and "its executed copy cannot be read; is the disk full?" in out and not copy.exists()
    assert go()[0] == 0
    copy.write_bytes(copy.read_bytes()[:300])
    status, out = go()
    assert status == 0 and out.count("cannot be read") == 1 and re.search("^ok ", out, re.M)


def test_what_was_executed_is_what_counts(quick, monkeypatch):
    """A notebook that is edited once the run has begun, and put back after it."""
    go, source, copy = quick
    before, todo = source.read_bytes(), course_run.todo

    def edited(*args):
        jobs = todo(*args)
        source.write_bytes(before.replace(b"x = 1", b"x = 2"))
        return jobs

    with monkeypatch.context() as during:
        during.setattr(course_run, "todo", edited)
        assert go()[0] == 0
    source.write_bytes(before)
    assert "unchanged" in go()[1] and copy.read_bytes() == before


def test_where_nothing_can_be_written_one_sentence_says_so(quick):
    go, _, copy = quick
    copy.parents[2].write_text("a file, where the folder build/ should be made")
    with pytest.raises(SystemExit, match=r"cannot go on: .*build.*; results are written to"):
        go()


@pytest.mark.parametrize("error", [KeyError("x"), NotImplementedError(), RuntimeError("no page")])
def test_site_that_fails_is_named_and_so_is_what_it_lacks(quick, monkeypatch, error):
    go, *_ = quick
    site = SimpleNamespace(build=lambda *_: ["a.ipynb: one picture"])
    monkeypatch.setitem(sys.modules, "tools.site", site)
    status, out = go()
    assert status == 1 and out.endswith("site: build/site/index.html\n    a.ipynb: one picture\n")
    site.build = Mock(side_effect=error)
    status, out = go()
    assert status == 1 and out.splitlines()[-1] == f"no site: {type(error).__name__}" + f": {error}" * bool(str(error))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--device", "tpu"], "choose from"),
        (["--seed", "x"], "invalid int value: 'x'"),
        (["--jobs", "0"], "must be 1 or more"),
        (["absent.ipynb"], "absent.ipynb is not a notebook"),
        (["--solutions"], "there are no notebooks in solutions/"),
    ],
)
def test_bad_input(tmp_path, args, message):
    done = run(tmp_path, *args)
    assert done.returncode == 2 and message in done.stderr and not (tmp_path / "build").exists()
