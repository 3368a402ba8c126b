"""The course in a real JupyterLab in a real browser: formulas are set, pictures are seen, every cell runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jupytext
import nbformat
import pytest

from tools import build, site

ROOT = Path(__file__).resolve().parent.parent
SCREENSHOTS = ROOT / "build" / "screenshots"
LESSON = "03_algorithms/04_adam"  # one lesson stands for all
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine's PATH"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A copy of the course, so that nothing of the repository is written."""
    desk = tmp_path_factory.mktemp("desk")
    for folder in ("notebooks", "solutions", "lessons", "tools"):
        shutil.copytree(ROOT / folder, desk / folder)
    shutil.copy(ROOT / "pyproject.toml", desk)  # jupytext reads its settings there
    return desk


@contextmanager
def _serving(desk: Path, home: Path, module: str) -> Iterator[str]:
    """The address of a JupyterLab server with no settings but ours. Its token is off: loopback, this test only."""
    settings = json.loads((ROOT / "tools" / "overrides.json").read_text(encoding="utf-8"))
    # For the screenshots: draw every cell, also those below the screen's edge, and nothing after the last.
    settings["@jupyterlab/notebook-extension:tracker"] = {"windowingMode": "none", "scrollPastEnd": False}
    (home / "overrides.json").write_text(json.dumps(settings), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, "--no-browser", "--expose-app-in-browser", "--allow-root"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [f"--LabApp.app_settings_dir={home}"]
    env = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "LESSONS_PROGRESS": str(home / "progress"),
    }
    log = home / "server.log"
    with log.open("w") as out, subprocess.Popen(command, cwd=desk, env=env, stdout=out, stderr=out) as server:
        try:
            yield _answering(f"http://127.0.0.1:{port}", server, log)
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture(scope="module")
def lab(desk, tmp_path_factory):
    """What `make lab` starts."""
    with _serving(desk, tmp_path_factory.mktemp("home"), "tools.lab") as address:
        yield address


@pytest.fixture
def authors_lab(desk, tmp_path_factory):
    """What CONTRIBUTING.md has an author start."""
    with _serving(desk, tmp_path_factory.mktemp("home"), "jupyterlab") as address:
        yield address


def _answering(address: str, server: subprocess.Popen, log: Path) -> str:
    """The address, once the server answers there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api/status", timeout=5):
                return address
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
    )
    quiet = ["--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=quiet)
        yield browser
        browser.close()


@contextmanager
def _tab(browser, address: str):
    """An empty tab that must not ask anyone but our server for anything: the course works offline."""
    page = browser.new_page(base_url=address, viewport={"width": 1200, "height": 900})
    page.set_default_timeout(60_000)
    ours, abroad = (address, "data:", "blob:", "ws:"), []
    page.on("request", lambda r: abroad.append(r.url) if not r.url.startswith(ours) else None)
    yield page
    page.close()
    assert abroad == []


@pytest.fixture
def page(browser, lab):
    with _tab(browser, lab) as page:
        yield page


@pytest.fixture
def authors_page(browser, authors_lab):
    with _tab(browser, authors_lab) as page:
        yield page


def _open(page, path: str, factory: str = "Notebook") -> None:
    """Open a file as a notebook, alone."""
    page.goto("/lab?reset")
    page.wait_for_function("window.jupyterapp")
    page.evaluate("jupyterapp.restored")
    page.evaluate("args => jupyterapp.commands.execute('docmanager:open', args)", {"path": path, "factory": factory})
    _wait_for(page, path)
    page.evaluate("jupyterapp.shell.collapseLeft()")


def _wait_for(page, path: str) -> None:
    """Until this notebook is in front of the reader."""
    page.wait_for_function(
        """path => { const shown = jupyterapp.shell.currentWidget;
                     return shown?.context?.path === path && shown.content.model?.cells?.length > 0; }""",
        arg=path,
    )


def _wait_for_kernel(page) -> None:
    """Run All before the kernel is there does nothing and looks finished."""
    page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")


def _cells(page) -> list[dict]:
    return page.evaluate("jupyterapp.shell.currentWidget.content.model.toJSON().cells")


def _run_all(page) -> list[dict]:
    """Run every cell through JupyterLab's own command; hand back the outputs, none of them an error or a warning."""
    _wait_for_kernel(page)
    succeeded = page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    outputs = [output for cell in _cells(page) for output in cell.get("outputs", [])]
    assert [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"] == []
    assert succeeded is True
    return outputs


def _screenshot(page, name: str) -> None:
    """The whole notebook in one picture: the window grows to its height."""
    height = page.locator(".jp-Notebook .jp-WindowedPanel-viewport").evaluate("cells => cells.scrollHeight")
    page.set_viewport_size({"width": 1200, "height": min(height + 150, 16_000)})
    page.evaluate("jupyterapp.shell.currentWidget.content.outerNode.scrollTo(0, 0)")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def _prose(page) -> str:
    """The text that a reader sees in Markdown cells, without formulas and code."""
    return page.locator(".jp-MarkdownOutput").evaluate_all(
        """cells => cells.map(cell => { const copy = cell.cloneNode(true);
                                        copy.querySelectorAll('mjx-container, code').forEach(e => e.remove());
                                        return copy.textContent; }).join('\\n')"""
    )


def _click(page, link: str) -> None:
    """Click a link of the notebook in front; the first one that bears this text."""
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)").get_by_role("link", name=link, exact=True).first.click()


def test_a_reader_clicks_from_the_start_page_to_a_lesson_its_solutions_and_back(page, desk):
    def course() -> dict[str, bytes]:
        return {str(f): f.read_bytes() for kind in ("notebooks", "solutions") for f in (desk / kind).rglob("*.ipynb")}

    before = course()
    page.goto("/")  # where `make lab` sends the browser
    page.wait_for_function("window.jupyterapp")
    for path, link in [
        ("notebooks/00_start_here.ipynb", "Adam"),
        (f"notebooks/{LESSON}.ipynb", "All solutions of this lesson"),
        (f"solutions/{LESSON}.ipynb", "This lesson with open exercises"),
    ]:
        _wait_for(page, path)
        cells = "[...jupyterapp.shell.currentWidget.content.model.cells].filter(cell => cell.type === 'code')"
        assert set(page.evaluate(f"{cells}.map(cell => cell.trusted)")) == {True}, "its outputs are not live"
        _click(page, link)
    _wait_for(page, f"notebooks/{LESSON}.ipynb")
    _wait_for_kernel(page)
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    assert course() == before, "only the copy in work/ may change"


def test_start_page(page):
    _open(page, "notebooks/00_start_here.ipynb")
    assert _run_all(page)
    _screenshot(page, "start_here")
    page.locator(".jp-OutputArea").get_by_role("link", name="Adam", exact=True).click()  # in the table of progress
    _wait_for(page, f"notebooks/{LESSON}.ipynb")


def test_lesson(page):
    _open(page, f"notebooks/{LESSON}.ipynb")
    outputs = _run_all(page)
    page.wait_for_selector("mjx-container", state="attached")
    _screenshot(page, "lesson")
    assert page.locator("mjx-merror").count() == 0, "a formula is not valid LaTeX"
    assert re.findall(r".*(?:\$|\\[a-zA-Z(\[]).*", _prose(page)) == [], "a formula was left as it was typed"
    pictures = [o for o in outputs if "<img" in o.get("data", {}).get("text/html", "")]
    seen = page.locator(".jp-OutputArea-output img:visible").evaluate_all(
        "all => all.map(i => [i.alt, i.naturalWidth])"
    )
    assert len(seen) == len(pictures) > 0 and all(alt and width for alt, width in seen)


MOVES = """\
from lessons_lib import plots

def moves(first, last, play=False):
    fig, (ax,) = plots.panels()

    def draw(ax, value):
        ax.plot([0, 1], [0, value])
        return f"The line rises by {value}."

    return plots.moving(fig, "slope", range(first, last + 1), draw, first, f"A line with a slope from {first}.", play)
"""


def _moves(page, where: str) -> None:
    """Two pictures in `where`, 1 to 3 and 5 to 8, the second with a button: each moves by key, and alone."""
    page.wait_for_function(f"document.querySelectorAll('{where} input[type=range]').length === 2")
    one, two = page.locator(f"{where} figure").all()
    frames = two.locator("img:visible").get_attribute("src"), one.locator("img:visible").get_attribute("src")
    assert (
        frames[0] != frames[1] and not two.get_by_role("button").is_hidden() and one.get_by_role("button").is_hidden()
    )
    slider = one.get_by_role("slider", name="slope")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "3"
    assert one.locator("[aria-live=polite]").inner_text() == "The line rises by 3."
    (moved,) = one.locator("img:visible").all()  # the frame stands in the static picture's place
    assert moved.get_attribute("src") != frames[1] and moved.get_attribute("alt") == "A line with a slope from 1."
    assert moved.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert two.locator("img:visible").get_attribute("src") == frames[0]
    two.get_by_role("button", name="Play").click()
    two.get_by_text("The line rises by 8.").wait_for()
    two.get_by_role("button", name="Play").wait_for()  # it stopped at the end
    assert two.get_by_role("slider").get_attribute("aria-valuetext") == "8"
    page.emulate_media(media="print")
    assert one.locator("img:visible").get_attribute("src").startswith("data:image/png") and slider.is_hidden()
    page.emulate_media(media="screen")


def _moving_notebook(path: Path) -> None:
    """A notebook with two moving pictures, executed, but not here: it is not trusted."""
    space: dict = {}
    exec(MOVES, space)
    calls = ["moves(1, 3)", "moves(5, 8, play=True)"]
    cells = [nbformat.v4.new_code_cell(f"{MOVES}\n{call}", execution_count=1) for call in calls]
    for cell, call in zip(cells, calls, strict=True):
        data = eval(call, space)._repr_mimebundle_()
        cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cells.insert(0, nbformat.v4.new_markdown_cell("# Two slopes"))
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=build.METADATA), path)


def test_a_picture_moves_in_jupyterlab_and_stands_still_where_scripts_may_not_run(page, desk):
    _moving_notebook(desk / "work" / "moving.ipynb")
    _open(page, "moving.ipynb")
    still = page.locator(".jp-OutputArea-output img")
    assert [image.get_attribute("alt") for image in still.all()] == [f"A line with a slope from {n}." for n in (1, 5)]
    assert page.get_by_text("The picture shows slope 5; run this cell, and a slider appears here.").is_visible()
    assert page.locator("input[type=range]").count() == 0
    _run_all(page)
    _moves(page, ".jp-OutputArea-output")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    _open(page, "moving.ipynb")  # saved by its reader, it is trusted
    _moves(page, ".jp-OutputArea-output")
    for scheme in ("light", "dark"):  # the reader's system decides: `adaptive-theme` in tools/overrides.json
        page.emulate_media(color_scheme=scheme)
        # By the clock: after a change of media Chromium may draw no frame, and a wait counts frames.
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=str(scheme == "light").lower(), polling=200
        )
        _screenshot(page, f"moving_{scheme}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
def test_a_picture_moves_on_the_site(browser, tmp_path):
    name = "notebooks/01_x/moving.ipynb"
    _moving_notebook(tmp_path / "build/course" / name)
    run = {"error": None, "cell": "", "seconds": 1.0, "date": "2026-01-01 10:00", "settings": {}}
    assert site.build(tmp_path, {name: run}) == []
    with _tab(browser, "file://") as page:
        page.goto((tmp_path / "build/site/notebooks/01_x/moving.html").as_uri())
        _moves(page, ".cell_output")
    with _tab(browser, "file://") as page:
        page.emulate_media(reduced_motion="reduce")
        page.goto((tmp_path / "build/site/notebooks/01_x/moving.html").as_uri())
        page.wait_for_selector("input[type=range]")
        assert page.locator("figure button:visible").count() == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
def test_the_site_has_no_serious_barrier(browser, tmp_path):
    """axe-core's judgement of every kind of page, wide and narrow."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for folder in ("lessons", "notebooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copytree(ROOT / "notebooks", tmp_path / "build/course/notebooks")
    run = {"error": None, "cell": "", "seconds": 1.0, "date": "2026-01-01 10:00", "settings": {}}
    site.build(tmp_path, {f"notebooks/{name}.ipynb": run for name in ("00_start_here", LESSON)})
    found = []
    pages = ("index", "runs", "notebooks/00_start_here", f"notebooks/{LESSON}", "notebooks/03_algorithms/README")
    with _tab(browser, "file://") as page:
        for name in (*pages, "notebooks/glossary"):
            for width in (1200, 390):
                page.set_viewport_size({"width": width, "height": 900})
                page.goto((tmp_path / f"build/site/{name}.html").as_uri())
                printed = page.locator(".cell_output pre")
                hidden = "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
                assert printed.evaluate_all(hidden) == [], "a printed line ends out of sight"
                for barrier in axe.run(page).response["violations"]:
                    if barrier["impact"] in ("serious", "critical"):
                        places = [node["html"][:150] for node in barrier["nodes"][:3]]
                        found.append((name, width, barrier["id"], barrier["help"], places))
    assert found == []


def test_a_folded_cell_opens_with_one_click(page):
    _open(page, f"notebooks/{LESSON}.ipynb")
    folded = [cell for cell in _cells(page) if "fold" in cell["metadata"].get("tags", [])]
    closed = page.locator(".jp-Notebook .jp-InputPlaceholder")
    closed.first.wait_for()
    first = "".join(folded[0]["source"]).partition("\n")[0]
    assert len(folded) > 2 and first in closed.first.inner_text()
    closed.first.click()
    page.locator(".jp-CodeCell .cm-content", has_text=first).first.wait_for()


def test_lesson_source_opens_as_a_notebook(authors_page, desk):
    """An author opens a lesson.py with Open With > Jupytext Notebook; saving it unedited changes no cell."""
    page, source = authors_page, desk / "lessons" / LESSON / "lesson.py"
    before = source.read_text(encoding="utf-8")
    _open(page, f"lessons/{LESSON}/lesson.py", factory="Jupytext Notebook")
    page.locator(".jp-Dialog .jp-mod-accept").click()  # a source names no kernel: Lab asks
    _wait_for_kernel(page)
    assert {"markdown", "code"} <= {cell["cell_type"] for cell in _cells(page)}
    _screenshot(page, "lesson_source")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    after = source.read_text(encoding="utf-8")
    assert after.partition("# %%")[2] == before.partition("# %%")[2]
    assert jupytext.reads(after).metadata["lesson"] == jupytext.reads(before).metadata["lesson"]
