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
QUIET = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LESSONS_PROGRESS": "off"}
PARAMETERS = ("device", "seed", "profile")
SHOWN = 15  # lines of a traceback


def worker() -> None:
    """The process of one notebook: execute it and write a report, {"error": text or null, "settings": {...}}."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exception, so that papermill shuts the kernel down too
    import papermill
    from papermill.exceptions import strip_color

    job, error, settings = json.loads(sys.argv[1]), None, {}
    try:
        known = {name: str(p["default"]).strip("\"'") for name, p in papermill.inspect_notebook(job["source"]).items()}
        if unknown := set(job["parameters"]) - set(known):  # papermill would only warn
            raise ValueError(f"no parameter {', '.join(sorted(unknown))}: its parameters cell defines {[*known]}")
        settings = {n: job["parameters"].get(n, known[n]) for n in PARAMETERS if n in known}
        papermill.execute_notebook(
            job["source"], job["copy"], job["parameters"], kernel_name="python3", cwd=str(Path(job["copy"]).parent),
            execution_timeout=job["cell_timeout"], progress_bar=False, shutdown_kernel="immediate",
        )  # fmt: skip
    except Exception as problem:
        error = "\n".join(strip_color(str(problem)).strip().splitlines()[-SHOWN:])
    Path(job["report"]).write_text(json.dumps({"error": error, "settings": settings}), encoding="utf-8")


async def attempt(job: dict, limit: float) -> dict:
    """Run one notebook in a process of its own, in its own session: Ctrl-C reaches us alone, and we end it in order."""
    with tempfile.TemporaryDirectory() as folder:
        job, log = {**job, "report": f"{folder}/report.json"}, Path(folder, "log")
        with log.open("w") as stream:  # not a pipe: a kernel that outlived its worker would hold it open
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "from tools.run import worker; worker()", json.dumps(job), cwd=ROOT,
                env=os.environ | QUIET, stdin=asyncio.subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True,
            )  # fmt: skip
        try:
            await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            return {"error": f"the notebook did not end within {limit:g} s", "settings": {}}
        finally:
            await stop(process)
        if Path(job["report"]).exists():
            return json.loads(Path(job["report"]).read_text(encoding="utf-8"))
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN:]
        return {"error": "\n".join([f"the worker process died, status {process.returncode}", *tail]), "settings": {}}


async def stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def stopped_at(copy: Path) -> str:
    """The cell that a failed notebook stopped at: the last that papermill stamped with a start, whatever else it noted."""
    try:
        cells = json.loads(copy.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return "before the first cell"
    ours = [
        c for c in cells if not {"injected-parameters", "papermill-error-cell-tag"} & set(c["metadata"].get("tags", []))
    ]
    begun = [(n, c) for n, c in enumerate(ours, 1) if c["metadata"].get("papermill", {}).get("start_time")]
    if not begun:
        return "before the first cell"
    number, cell = begun[-1]
    name = f" ({cell['metadata']['name']})" if "name" in cell["metadata"] else ""
    return f"cell {number}{name}: {''.join(cell['source']).strip().partition(chr(10))[0]}"


def fingerprint(notebook: Path, parameters: dict, root: Path) -> str:
    """A hash over all that a result depends on: the notebook, its parameters, the library, the GPU records, the versions."""
    digest = hashlib.sha256(repr((parameters, sys.version, version("torch"))).encode())
    for path in [
        notebook,
        *sorted((root / "lessons_lib").rglob("*.py")),
        *sorted((root / "results/gpu").glob("*.json")),
    ]:
        digest.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def todo(names: list[str], state: dict, options: argparse.Namespace) -> dict[str, dict]:
    """A job for each notebook that has to run. Its old result leaves the state."""
    parameters = {n: v for n in PARAMETERS if (v := getattr(options, n)) is not None}
    jobs = {}
    for name in names:
        copy, key = options.root / "build/course" / name, fingerprint(options.root / name, parameters, options.root)
        old = state.get(name, {})
        if options.force or old.get("key") != key or old["status"] == "failed" or not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            state.pop(name, None)
            jobs[name] = {"source": str(options.root / name), "copy": str(copy), "parameters": parameters, "key": key}
            jobs[name]["cell_timeout"] = options.cell_timeout
    return jobs


def save(state: dict, path: Path) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state, indent=1, sort_keys=True), encoding="utf-8")
    part.replace(path)


async def execute(jobs: dict[str, dict], state: dict, path: Path, options: argparse.Namespace) -> None:
    """Run the jobs, so many at a time, and note each result as soon as it is there."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    bar = tqdm(total=len(jobs), unit="notebook", disable=not sys.stderr.isatty())
    free = asyncio.Semaphore(options.jobs)

    async def one(name: str, job: dict) -> None:
        async with free:
            begin, date = time.monotonic(), datetime.now().isoformat(" ", "minutes")
            result = await attempt(job, options.notebook_timeout)
        status = "failed" if result["error"] else "ok"
        where = stopped_at(Path(job["copy"])) if result["error"] else ""
        seconds = round(time.monotonic() - begin, 1)
        state[name] = {**result, "key": job["key"], "status": status, "cell": where, "seconds": seconds, "date": date}
        save(state, path)
        bar.update()
        if bar.disable:
            print(f"{status:9} {seconds:8.1f} s  {name}", flush=True)

    with bar:
        async with asyncio.TaskGroup() as group:
            for name, job in jobs.items():
                group.create_task(one(name, job))


def report(names: list[str], state: dict, fresh: dict) -> None:
    """What failed, where and why; then a line per notebook."""
    for name in names:
        if state[name]["status"] == "failed":
            print(f"\n{name}, {state[name]['cell']}")
            print("\n".join("    " + line for line in state[name]["error"].splitlines()))
    print(f"\n{'status':9} {'seconds':>8}  notebook")
    for name in names:
        print(f"{state[name]['status'] if name in fresh else 'unchanged':9} {state[name]['seconds']:8.1f}  {name}")


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
        parser.error("--jobs, --cell-timeout and --notebook-timeout must be at least 1")
    if options.solutions and options.notebooks:
        parser.error("name notebooks or give --solutions, not both")
    options.root = options.root.resolve()
    options.notebooks = [path.resolve() for path in options.notebooks] or found(options.root, options.solutions)
    for path in options.notebooks:
        if path.suffix != ".ipynb" or not path.is_file() or not path.is_relative_to(options.root):
            parser.error(f"{path} is not a notebook; allowed are .ipynb files under {options.root}")
    if not options.notebooks:
        parser.error(
            f"no notebooks in {'solutions' if options.solutions else 'notebooks'}/; build them: make notebooks"
        )
    return options


def found(root: Path, solutions: bool) -> list[Path]:
    paths = (root / ("solutions" if solutions else "notebooks")).rglob("*.ipynb")
    return sorted(path for path in paths if ".ipynb_checkpoints" not in path.parts)


def main(args: list[str] | None = None) -> int:
    options = parsed(args)
    record = options.root / "build/course/state.json"
    state = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    state = {name: entry for name, entry in state.items() if (options.root / name).exists()}
    names = [path.relative_to(options.root).as_posix() for path in options.notebooks]
    jobs = todo(names, state, options)
    record.parent.mkdir(parents=True, exist_ok=True)
    save(state, record)  # without what runs now: an interrupted copy must not pass for a finished one
    try:
        asyncio.run(execute(jobs, state, record, options))
        report(names, state, jobs)
        if not options.no_site:
            from tools import site  # Sphinx takes a while to import, and a run without a site does not need it

            editions = {name.partition("/")[0] for name in names}
            site.build(options.root, {n: entry for n, entry in state.items() if n.partition("/")[0] in editions})
            print("\nsite: build/site/index.html")
    except KeyboardInterrupt:
        done = sum(name in state for name in jobs)
        print(f"\ninterrupted: {done} of {len(jobs)} notebooks have run; the next run goes on with the others")
        return 130
    return int(any(state[name]["status"] == "failed" for name in names))


if __name__ == "__main__":
    sys.exit(main())
