"""`make run` on small courses: what fails is named, the rest goes on, and the site needs no network."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
PICTURE = f"""\
display({{"image/png": "{PNG}"}}, raw=True, metadata={{"image/png": {{"alt": "a red dot"}}}})"""
PID = "import os\nopen('pid', 'w').write(str(os.getpid()))"


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


def run(root: Path, *args: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(root, *args), cwd=ROOT, capture_output=True, text=True, timeout=150)


def state(root: Path) -> dict:
    return json.loads((root / "build/course/state.json").read_text())


def gone(pid: int) -> bool:
    for _ in range(50):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """One run of a course in which nearly everything goes wrong: its root, its sources, what it printed."""
    root = tmp_path_factory.mktemp("course")
    books = root / "notebooks"
    quiet = "import os\nassert os.environ['OMP_NUM_THREADS'] == '1' and os.environ['LESSONS_PROGRESS'] == 'off'"
    write(books / "00_good.ipynb", quiet, "assert seed == 7 and device == 'auto'", PICTURE)
    write(books / "00_slow.ipynb", PID, *["import time\ntime.sleep(4)"] * 12)
    write(books / "01_bad/01_raises.ipynb", "x = 1", "# before | after\nx / 0")
    write(books / "01_bad/02_dies.ipynb", "x = 1", "import os\nos.kill(os.getpid(), 9)", "x = 2")
    write(books / "01_bad/03_hangs.ipynb", "import time\nwhile True: time.sleep(1)")
    write(books / "01_bad/04_plain.ipynb", "x = 1", parameters=False)
    (root / "lessons_lib").mkdir()
    before = {path: path.read_bytes() for path in books.rglob("*") if path.is_file()}
    return root, before, run(root, "--seed", "7", "--cell-timeout", "6", "--notebook-timeout", "25", "--jobs", "3")


def test_failures_are_named_and_the_others_run(course):
    root, before, done = course
    assert done.returncode == 1, done.stderr
    out = done.stdout
    assert "01_bad/01_raises.ipynb, cell 4 (last): # before | after" in out
    assert "ZeroDivisionError: division by zero" in out and "\x1b" not in out
    assert "01_bad/02_dies.ipynb, cell 4: import os" in out and "Kernel died" in out
    assert "01_bad/03_hangs.ipynb, cell 3 (last): import time" in out and "timed out" in out
    assert "01_bad/04_plain.ipynb, before the first cell" in out and "no seed" in out
    assert re.search(r"00_slow.ipynb, cell \d+.*: import time\n +the notebook did not end within 25 s", out)
    assert gone(int((root / "build/course/notebooks/pid").read_text())), "the kernel of the slow notebook lives on"
    assert re.search(r"^ok +\d+\.\d  notebooks/00_good.ipynb$", out, re.M)
    assert {name for name, entry in state(root).items() if not entry["error"]} == {"notebooks/00_good.ipynb"}
    assert state(root)["notebooks/01_bad/02_dies.ipynb"]["seconds"] < 30, "a dead kernel was noticed late"
    assert {path: path.read_bytes() for path in before} == before and len(list((root / "notebooks").rglob("*.*"))) == 6


def test_site_is_whole_and_needs_no_network(course):
    site = course[0] / "build/site"
    log, page = (site / "runs.html").read_text(), (site / "notebooks/00_good.html").read_text()
    assert "build/site/index.html" in course[2].stdout
    assert log.count("<strong>failed</strong>") == 5 and "# before | after" in log and "seed 7" in log
    assert "<math>" in page and "MathJax" not in page and 'alt="a red dot"' in page
    assert "Search.setIndex" in (site / "searchindex.js").read_text()
    for html in site.rglob("*.html"):
        assert not re.search(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']?(?:https?:)?//", html.read_text()), (
            html
        )
    for css in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", css.read_text()), css


def test_second_run_repeats_what_failed_or_changed(course):
    root = course[0]
    write(root / "notebooks/01_bad/01_raises.ipynb", "x = 1")
    one, two = (str(root / "notebooks" / name) for name in ("00_good.ipynb", "01_bad/01_raises.ipynb"))
    again = run(root, "--no-site", "--seed", "7", one, two)
    assert again.returncode == 0, again.stdout
    assert "unchanged" in again.stdout and re.findall(r"^ok .*/(.*)$", again.stdout, re.M) == ["01_raises.ipynb"] * 2
    (root / "lessons_lib/new.py").write_text("x = 1")
    third = run(root, "--no-site", "--seed", "7", two)
    assert "unchanged" not in third.stdout, "the library changed"


def test_interrupt_leaves_a_whole_state_and_no_kernel(tmp_path):
    write(tmp_path / "notebooks/a.ipynb", "x = 1")
    write(tmp_path / "notebooks/b.ipynb", PID, "import time\ntime.sleep(100)")
    process = subprocess.Popen(command(tmp_path, "--jobs", "2"), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pid = tmp_path / "build/course/notebooks/pid"
    for _ in range(600):
        if pid.exists() and pid.read_text() and "notebooks/a.ipynb" in state(tmp_path):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130 and "1 of 2 notebooks have run" in out
    assert state(tmp_path).keys() == {"notebooks/a.ipynb"}
    assert gone(int(pid.read_text())), "the kernel of the interrupted notebook lives on"


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
