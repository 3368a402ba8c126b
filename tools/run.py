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
import signal
import sys
import tempfile
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
PARAMETERS = ("device", "seed", "profile")
QUIET = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LESSONS_PROGRESS": "off"}
WORKER = [sys.executable, "-c", "from tools.run import worker; worker()"]
SHOWN = 15  # lines of a traceback


def worker() -> None:
    """The process of one notebook: execute it and write a report, {"error": text or null, "settings": {...}}."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exception, so that papermill ends the kernel as well
    import papermill
    from papermill.exceptions import strip_color

    job, error, settings = json.loads(sys.argv[1]), None, {}
    source, copy, given = job["source"], job["copy"], job["parameters"]
    limits = {"execution_timeout": job["cell_timeout"], "start_timeout": 60, "shutdown_kernel": "immediate"}
    try:
        known = {name: str(p["default"]).strip("\"'") for name, p in papermill.inspect_notebook(source).items()}
        if unknown := set(given) - set(known):  # papermill would only warn
            raise ValueError(
                f"its parameters cell has no {', '.join(sorted(unknown))}; it has: {', '.join(known) or '-'}"
            )
        settings = {name: given.get(name, known[name]) for name in PARAMETERS if name in known}
        where = {"kernel_name": "python3", "cwd": str(Path(copy).parent), "progress_bar": False}
        papermill.execute_notebook(source, copy, given, **where, **limits)
    except Exception as problem:
        error = "\n".join(strip_color(str(problem)).strip().splitlines()[-SHOWN:])
    Path(job["report"]).write_text(json.dumps({"error": error, "settings": settings}), encoding="utf-8")


async def attempt(job: dict, limit: float) -> dict:
    """Run one notebook in a process and session of its own: Ctrl-C reaches us alone, and we end the worker in order."""
    with tempfile.TemporaryDirectory() as folder:
        report, log = Path(folder, "report.json"), Path(folder, "log")
        command = [*WORKER, json.dumps({**job, "report": str(report)})]
        with log.open("w") as stream:  # not a pipe: a kernel that outlived its worker would hold it open
            process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=os.environ | QUIET, stdout=stream, stderr=stream, start_new_session=True
            )
        try:
            await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            return {"error": f"the notebook did not end within {limit} s", "settings": {}}
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        if report.exists():
            return json.loads(report.read_text(encoding="utf-8"))
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN:]
        return {"error": "\n".join([f"the worker died, status {process.returncode}", *tail]), "settings": {}}


def stopped_at(copy: Path) -> str:
    """The cell that failed: the last one with a start time. What else papermill notes is wrong after a death."""
    cells = json.loads(copy.read_text(encoding="utf-8"))["cells"] if copy.exists() else []
    added = {"injected-parameters", "papermill-error-cell-tag"}
    ours = [c for c in cells if not added & set(c["metadata"].get("tags", []))]
    begun = [(n, c) for n, c in enumerate(ours, 1) if c["metadata"].get("papermill", {}).get("start_time")]
    if not begun:
        return "before the first cell"
    number, cell = begun[-1]
    name = f" ({cell['metadata']['name']})" if "name" in cell["metadata"] else ""
    return f"cell {number}{name}: {''.join(cell['source']).strip().partition(chr(10))[0]}"


def fingerprint(notebook: Path, parameters: dict, root: Path) -> str:
    """A hash over what a result depends on: notebook, parameters, library, GPU records, versions."""
    digest = hashlib.sha256(repr((parameters, sys.version, version("torch"))).encode())
    library, records = (root / "lessons_lib").rglob("*.py"), (root / "results/gpu").glob("*.json")
    for path in [notebook, *sorted(library), *sorted(records)]:
        digest.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def todo(names: list[str], state: dict, options: argparse.Namespace) -> dict[str, dict]:
    """A job for each notebook that has to run. Its old result leaves the state: a half-made copy must not pass."""
    parameters = {name: value for name in PARAMETERS if (value := getattr(options, name)) is not None}
    jobs = {}
    for name in names:
        source, copy = options.root / name, options.root / "build/course" / name
        key, old = fingerprint(source, parameters, options.root), state.get(name, {"key": None})
        if options.force or old["key"] != key or old["error"] or not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            state.pop(name, None)
            jobs[name] = {"source": str(source), "copy": str(copy), "parameters": parameters, "key": key}
            jobs[name]["cell_timeout"] = options.cell_timeout
    return jobs


def save(state: dict, path: Path) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state, indent=1, sort_keys=True), encoding="utf-8")
    part.replace(path)


async def execute(jobs: dict[str, dict], state: dict, record: Path, options: argparse.Namespace) -> None:
    """Run the jobs, a few at a time, and save each result as soon as it is there."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task
    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, task.cancel)
    bar = tqdm(total=len(jobs), unit="notebook", disable=not sys.stderr.isatty())
    free = asyncio.Semaphore(options.jobs)

    async def one(name: str, job: dict) -> None:
        async with free:
            begin, date = time.monotonic(), datetime.now().isoformat(" ", "minutes")
            result = await attempt(job, options.notebook_timeout)
        seconds, cell = round(time.monotonic() - begin, 1), stopped_at(Path(job["copy"])) if result["error"] else ""
        state[name] = {**result, "key": job["key"], "cell": cell, "seconds": seconds, "date": date}
        save(state, record)
        bar.update()
        if bar.disable:
            print(f"{'failed' if cell else 'ok':9} {seconds:8.1f} s  {name}", flush=True)

    with bar:
        async with asyncio.TaskGroup() as group:
            for name, job in jobs.items():
                group.create_task(one(name, job))


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
    add("--cell-timeout", type=int, default=120, help="seconds a cell may take (default: %(default)s)")
    add("--notebook-timeout", type=int, default=900, help="seconds a notebook may take (default: %(default)s)")
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


def main(args: list[str] | None = None) -> int:
    options = parsed(args)
    record = options.root / "build/course/state.json"
    state = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    state = {name: entry for name, entry in state.items() if (options.root / name).exists()}
    names = list(dict.fromkeys(path.relative_to(options.root).as_posix() for path in options.notebooks))
    jobs = todo(names, state, options)
    record.parent.mkdir(parents=True, exist_ok=True)
    save(state, record)
    try:
        asyncio.run(execute(jobs, state, record, options))
        summary(names, state, jobs)
        if not options.no_site:
            from tools import site  # slow to import

            editions = {name.partition("/")[0] for name in names}
            site.build(options.root, {name: state[name] for name in state if name.partition("/")[0] in editions})
            print("\nsite: build/site/index.html")
    except (KeyboardInterrupt, asyncio.CancelledError):
        done = sum(name in state for name in jobs)
        print(f"\ninterrupted: {done} of {len(jobs)} notebooks have run; the next run goes on with the others")
        return 130
    except RuntimeError as error:
        print(f"\nno site: {error}")
        return 1
    return int(any(state[name]["error"] for name in names))


if __name__ == "__main__":
    sys.exit(main())
