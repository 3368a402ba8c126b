"""Execute the course into build/course/ and make a site of it in build/site/.

python -m tools.run                        every lesson; a second run repeats only what failed or changed
python -m tools.run --solutions --seed 1   the solved edition, with another seed
python -m tools.run notebooks/x.ipynb      only this notebook
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from traceback import format_exception_only
from typing import Any

from tqdm import tqdm

from tools import _command
from tools._command import CELL_TIMEOUT, MARK, PARAMETERS, QUIET

ROOT = Path(__file__).resolve().parent.parent
WORKER = [sys.executable, "-m", "tools._guard", "tools._worker"]
APART = {"start_new_session": True, "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
FIELDS = {"error", "settings", "key", "cell", "seconds", "date"}  # of a notebook's entry in the state
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
LOG = 5000  # bytes at the end of a dead worker's log


@contextmanager
def on_signal(handler: Any) -> Iterator[None]:
    """Meanwhile the signals that end a program go to the handler; SIGHUP stays ignored below nohup."""
    heard = [s for s in SIGNALS if s == signal.SIGINT or signal.getsignal(s) != signal.SIG_IGN]
    before = {s: signal.signal(s, handler) for s in heard}
    try:
        yield
    finally:
        for s in heard:
            signal.signal(s, before[s])


@contextmanager
def workplace(course: Path) -> Iterator[Path]:
    """A new folder for this run, which is alone in this course. What a killed run left behind ends and goes."""
    course.mkdir(parents=True, exist_ok=True)
    with _command.alone(course / "lock"):
        _command.kill_marked(course)
        for old in course.glob("run-*"):
            shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=course))
        try:
            yield folder
        finally:
            with on_signal(signal.SIG_IGN):
                _command.kill_marked(folder)
                shutil.rmtree(folder, ignore_errors=True)


def content(path: Path) -> dict | None:
    """What a JSON file holds; None if it is absent or not whole: a disk may have been full."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


async def attempt(job: dict, limit: float) -> dict:
    """Run one notebook in a process and session of its own: Ctrl-C reaches us alone, and we end what it started."""
    folder = Path(job["folder"])
    report, log = folder / "report.json", folder / "log"
    inherited = os.environ | QUIET | {MARK: str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}
    how: dict[str, Any] = {"cwd": ROOT, "env": inherited, "stdin": subprocess.PIPE, **APART}
    with log.open("wb") as stream:  # not a pipe: nobody would read it
        process = subprocess.Popen([*WORKER, json.dumps(job)], stdout=stream, stderr=stream, **how)
    end = time.monotonic() + limit
    try:
        while process.poll() is None:  # asyncio's own processes may never return when they are cancelled at their start
            if time.monotonic() > end:
                return {"error": f"the notebook did not end within {limit} s", "settings": {}}
            await asyncio.sleep(0.05)
    finally:
        assert process.stdin
        process.stdin.close()  # this ends the guard, as our own end would
        process.wait()
    if found := content(report):
        return found
    with log.open("rb") as stream:
        stream.seek(-min(LOG, log.stat().st_size), os.SEEK_END)
        tail = stream.read().decode(errors="replace").splitlines()[-15:]
    return {"error": "\n".join([f"the worker died, status {process.returncode}", *tail]), "settings": {}}


def stopped_at(cells: list[dict]) -> str:
    """The cell that failed: the first one that was begun and not executed, or the last one begun."""
    added = {"injected-parameters", "papermill-error-cell-tag"}
    ours = [c for c in cells if not added & set(c["metadata"].get("tags", []))]
    begun = [(n, c) for n, c in enumerate(ours, 1) if c["metadata"].get("papermill", {}).get("start_time")]
    if not begun:
        return "before the first cell"
    missed = [(n, c) for n, c in begun if "".join(c["source"]).strip() and not c.get("execution_count", True)]
    number, cell = (missed or begun[-1:])[0]
    name = f" ({cell['metadata']['name']})" if "name" in cell["metadata"] else ""
    return f"cell {number}{name}: {''.join(cell['source']).strip().partition(chr(10))[0]}"


def depends(root: Path) -> list[Path]:
    return [*sorted((root / "lessons_lib").rglob("*.py")), *sorted((root / "results/gpu").glob("*.json"))]


def stamps(root: Path) -> list[tuple]:
    """Equal before and after a run if nobody touched the library meanwhile, not even to put it back."""
    return [(path, stat.st_mtime_ns, stat.st_ctime_ns) for path in depends(root) for stat in [path.stat()]]


def fingerprint(notebook: bytes, name: str, parameters: dict, root: Path) -> str:
    """A hash over what a result depends on: notebook, parameters, library, GPU records, versions."""
    digest = hashlib.sha256(repr((name, parameters, sys.version, version("torch"))).encode())
    for label, data in [("", notebook), *((path.relative_to(root), path.read_bytes()) for path in depends(root))]:
        digest.update(f"{label} {hashlib.sha256(data).hexdigest()}".encode())
    return digest.hexdigest()


def earlier(root: Path, record: Path) -> dict[str, dict]:
    """The results of earlier runs whose notebook is still there, and whose record and copy are whole."""
    known = content(record)
    if known is None and record.exists():
        print(f"{record.relative_to(root)} cannot be read: every notebook counts as not run")
    state = {}
    for name, entry in (known or {}).items():
        copy = record.parent / name
        if (
            not isinstance(entry, dict)
            or entry.keys() != FIELDS
            or (copy.exists() and "cells" not in (content(copy) or {}))
        ):
            print(f"the result of {name} cannot be read: it counts as not run")
        elif (root / name).exists():
            state[name] = entry
    return state


def todo(names: list[str], state: dict, options: argparse.Namespace, place: Path) -> dict[str, dict]:
    """A job for each notebook that has to run, with a copy of it as it is now. Its old result leaves the state."""
    parameters = {name: value for name in PARAMETERS if (value := getattr(options, name)) is not None}
    jobs: dict[str, dict] = {}
    for number, name in enumerate(names):
        data, copy = (options.root / name).read_bytes(), options.root / "build/course" / name
        key, old = fingerprint(data, name, parameters, options.root), state.get(name, {"key": None})
        if options.force or old["key"] != key or old["error"] or not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            state.pop(name, None)
            folder = place / str(number)
            folder.mkdir()
            jobs[name] = {"key": key, "folder": str(folder), "cwd": str(copy.parent)}
            jobs[name] |= {"parameters": parameters, "cell_timeout": options.cell_timeout}
            (folder / "source.ipynb").write_bytes(data)
    return jobs


def save(state: dict, path: Path) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state, indent=1, sort_keys=True), encoding="utf-8")
    part.replace(path)


def finish(name: str, job: dict, result: dict, options: argparse.Namespace) -> dict:
    """Move the executed copy into place, if it is whole; what the state is to hold of this notebook."""
    copy = Path(job["folder"], "copy.ipynb")
    cells = (content(copy) or {}).get("cells")
    if cells is not None:
        copy.replace(options.root / "build/course" / name)
    elif not result["error"]:
        result["error"] = "its executed copy cannot be read; is the disk full?"
    shutil.rmtree(job["folder"], ignore_errors=True)  # what filled the disk must not keep the record from being saved
    key = job["key"] if stamps(options.root) == options.stamps else None
    return {**result, "key": key, "cell": stopped_at(cells or []) if result["error"] else ""}


async def execute(jobs: dict[str, dict], state: dict, record: Path, options: argparse.Namespace) -> None:
    """Run the jobs, a few at a time, and save each result as soon as it is there."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task
    bar = tqdm(total=len(jobs), unit="notebook", disable=not sys.stderr.isatty())
    free = asyncio.Semaphore(options.jobs)

    def stop(*_: object) -> None:  # once: what follows is cleaning up, and takes no time
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        loop.call_soon_threadsafe(task.cancel)

    async def one(name: str, job: dict) -> None:
        async with free:
            begin, date = time.monotonic(), datetime.now().isoformat(" ", "minutes")
            result = await attempt(job, options.notebook_timeout)
        seconds = round(time.monotonic() - begin, 1)
        state[name] = {**finish(name, job, result, options), "seconds": seconds, "date": date}
        save(state, record)
        bar.update()
        if bar.disable:
            print(f"{'failed' if state[name]['error'] else 'ok':9} {seconds:8.1f} s  {name}", flush=True)

    with bar, on_signal(stop):
        await asyncio.gather(*(one(name, job) for name, job in jobs.items()))


def summary(names: list[str], state: dict, jobs: dict) -> None:
    """What failed, where and why; then a line per notebook."""
    for name in names:
        if state[name]["error"]:
            print(f"\n{name}, {state[name]['cell']}", *state[name]["error"].splitlines(), sep="\n    ")
    print(f"\n{'status':9} {'seconds':>8}  notebook")
    for name in names:
        status = "failed" if state[name]["error"] else "ok" if name in jobs else "unchanged"
        print(f"{status:9} {state[name]['seconds']:8.1f}  {name}")


def parsed(args: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tools.run", None, __doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("notebooks", nargs="*", type=Path, help="notebooks to run; all of notebooks/ by default")
    add("--solutions", action="store_true", help="run all of solutions/ instead")
    add("--device", choices=["auto", "cpu", "cuda"], help="replaces the parameter device of each lesson")
    add("--seed", type=int, help="replaces the parameter seed")
    add("--profile", choices=["quick", "full"], help="replaces the parameter profile")
    add("--jobs", type=int, default=os.cpu_count(), help="notebooks at a time (default: %(default)s)")
    add("--cell-timeout", type=int, default=CELL_TIMEOUT, help="seconds a cell may take (default: %(default)s)")
    add(
        "--notebook-timeout",
        type=int,
        default=6 * CELL_TIMEOUT,
        help="seconds a notebook may take (default: %(default)s)",
    )
    add("--force", action="store_true", help="run what is unchanged, too")
    add("--no-site", action="store_true", help="make no site")
    add("--root", type=Path, default=ROOT, help="folder that holds notebooks/ and gets build/")
    options = parser.parse_args(args)
    if min(options.jobs, options.cell_timeout, options.notebook_timeout) < 1:
        parser.error("--jobs, --cell-timeout and --notebook-timeout must be 1 or more")
    if options.solutions and options.notebooks:
        parser.error("name notebooks or give --solutions, not both")
    root, edition = options.root.resolve(), "solutions" if options.solutions else "notebooks"
    every = (path for path in sorted((root / edition).rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts)
    options.root, options.notebooks = root, [path.resolve() for path in options.notebooks] or list(every)
    for path in options.notebooks:
        if path.suffix != ".ipynb" or not path.is_file() or not path.is_relative_to(root):
            parser.error(f"{path} is not a notebook; allowed are .ipynb files under {root}")
    if not options.notebooks:
        parser.error(f"there are no notebooks in {edition}/; build them: make notebooks")
    return options


def course(options: argparse.Namespace, place: Path) -> int:
    """Run what has to run, in this place, and make the site."""
    record, jobs = options.root / "build/course/state.json", {}
    names = list(dict.fromkeys(path.relative_to(options.root).as_posix() for path in options.notebooks))
    try:
        options.stamps, state = stamps(options.root), earlier(options.root, record)
        jobs = todo(names, state, options, place)
        save(state, record)
        asyncio.run(execute(jobs, state, record, options))
        summary(names, state, jobs)
        made = options.no_site or site(names, state, options.root)
    except (KeyboardInterrupt, asyncio.CancelledError):
        done = sum(name in state for name in jobs)
        print(f"\ninterrupted: {done} of {len(jobs)} notebooks have run; the next run goes on with the others")
        return 130
    return int(not made or any(state[name]["error"] for name in names))


def site(names: list[str], state: dict, root: Path) -> bool:
    """Make the site of the editions that these notebooks belong to; say what it lacks, or why there is none."""
    from tools.site import build  # slow to import

    editions = {name.partition("/")[0] for name in names}
    try:
        lacks = build(root, {name: state[name] for name in state if name.partition("/")[0] in editions}) or []
    except Exception as error:  # of Sphinx and its extensions, of any kind
        print("\nno site:", *format_exception_only(error), end="")
        return False
    print("\nsite: build/site/index.html", *lacks, sep="\n    ")
    return not lacks


def main(args: list[str] | None = None) -> int:
    _command.start()
    options = parsed(args)
    try:
        with on_signal(signal.default_int_handler), workplace(options.root / "build/course") as place:
            return course(options, place)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        sys.exit(f"cannot go on: {error}; results are written to {options.root / 'build'}")


if __name__ == "__main__":
    sys.exit(main())
