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
from pathlib import Path

import jupytext
import pytest

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
    """A copy of what JupyterLab shows, so that no notebook of the repository is written."""
    desk = tmp_path_factory.mktemp("desk")
    for folder in ("notebooks", "lessons"):
        shutil.copytree(ROOT / folder, desk / folder)
    shutil.copy(ROOT / "pyproject.toml", desk)  # jupytext reads its settings there
    return desk


@pytest.fixture(scope="module")
def lab(desk, tmp_path_factory):
    """The address of a JupyterLab server with no settings but ours. Its token is off: loopback, this test only."""
    home = tmp_path_factory.mktemp("home")
    settings = json.loads((ROOT / "tools" / "overrides.json").read_text())
    # For the screenshots: draw every cell, also those below the screen's edge, and nothing after the last.
    settings["@jupyterlab/notebook-extension:tracker"] = {"windowingMode": "none", "scrollPastEnd": False}
    (home / "overrides.json").write_text(json.dumps(settings))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", "--allow-root"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [f"--LabApp.app_settings_dir={home}"]
    env = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "LESSONS_PROGRESS": str(home / "progress.json"),
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


@pytest.fixture
def page(browser, lab):
    """An empty tab that must not ask anyone but our server for anything: the course works offline."""
    page = browser.new_page(base_url=lab, viewport={"width": 1200, "height": 900})
    page.set_default_timeout(60_000)
    abroad = []
    page.on("request", lambda r: abroad.append(r.url) if not r.url.startswith((lab, "data:", "blob:", "ws:")) else None)
    yield page
    page.close()
    assert abroad == []


def _open(page, path: str, factory: str = "Notebook") -> None:
    """Open a file as a notebook, alone."""
    page.goto("/lab?reset")
    page.wait_for_function("window.jupyterapp")
    page.evaluate("jupyterapp.restored")
    page.evaluate("args => jupyterapp.commands.execute('docmanager:open', args)", {"path": path, "factory": factory})
    page.wait_for_function(
        """path => { const shown = jupyterapp.shell.currentWidget;
                     return shown?.context?.path === path && shown.content.model?.cells?.length > 0; }""",
        arg=path,
    )
    page.evaluate("jupyterapp.shell.collapseLeft()")


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


def test_start_page(page):
    _open(page, "notebooks/00_start_here.ipynb")
    assert _run_all(page)
    _screenshot(page, "start_here")


def test_lesson(page):
    _open(page, f"notebooks/{LESSON}.ipynb")
    outputs = _run_all(page)
    page.wait_for_selector("mjx-container", state="attached")
    _screenshot(page, "lesson")
    assert page.locator("mjx-merror").count() == 0, "a formula is not valid LaTeX"
    assert re.findall(r".*(?:\$|\\[a-zA-Z(\[]).*", _prose(page)) == [], "a formula was left as it was typed"
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    assert pictures and all(p["metadata"]["image/png"]["alt"] for p in pictures)
    widths = page.locator(".jp-OutputArea-output img").evaluate_all("images => images.map(i => i.naturalWidth)")
    assert len(widths) == len(pictures) and min(widths) > 0


def test_lesson_source_opens_as_a_notebook(page, desk):
    """An author opens lessons/*.py with Open With > Jupytext Notebook; saving it unedited changes no cell."""
    source = desk / "lessons" / f"{LESSON}.py"
    before = source.read_text(encoding="utf-8")
    _open(page, f"lessons/{LESSON}.py", factory="Jupytext Notebook")
    page.locator(".jp-Dialog .jp-mod-accept").click()  # a source names no kernel: Lab asks
    _wait_for_kernel(page)
    assert {"markdown", "code"} <= {cell["cell_type"] for cell in _cells(page)}
    _screenshot(page, "lesson_source")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    after = source.read_text(encoding="utf-8")
    assert after.partition("# %%")[2] == before.partition("# %%")[2]
    assert jupytext.reads(after).metadata["lesson"] == jupytext.reads(before).metadata["lesson"]
