"""Run the experiments that a lesson only shows, and write what they gave, with what made it, under results/runs/.

python -m tools.record                                 every room with a record.py
python -m tools.record lessons/02_concepts/04_x        only this one

A record is replaced when all of its seeds have run; an interrupted one stays as it was.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lessons_lib import records
from tools import _command
from tools._course import name_of
from tools.build import chosen


def run(lesson: str, seed: int) -> dict[str, Any]:
    """One seed's numbers. What JSON cannot hold, such as NaN, is refused by name."""
    found = records.load(lesson)["run"](seed)
    for name, numbers in found.items():
        try:
            json.dumps(numbers, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {numbers!r}; allowed are finite numbers and lists of them") from None
    return found


def write(lesson: str, runs: dict[int, dict[str, Any]]) -> Path:
    stored = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": f"make record ARGS=lessons/{lesson}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "source": records.source_hash(records.load(lesson)),
        "runs": {seed: runs[seed] for seed in sorted(runs)},
    }
    path = records.FOLDER / f"{lesson}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.record", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", type=Path, help="rooms with a record.py; all of them by default")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time (default: %(default)s)")
    options = parser.parse_args(args)
    rooms = [source.parent for source in chosen(options.lessons, parser)]
    lessons = [name_of(room / "lesson.py") for room in rooms if (room / "record.py").exists()]
    if options.lessons and len(lessons) < len(rooms):
        parser.error("a room that is named here needs a record.py")
    if not lessons:
        print("no room has a record.py, so there is nothing to run")
        return 0
    os.environ.update(_command.QUIET)
    jobs = [(lesson, seed) for lesson in lessons for seed in records.load(lesson)["SEEDS"]]
    done: dict[str, dict[int, dict]] = {lesson: {} for lesson in lessons}
    failed = set()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, spawn, _command.pool_worker, (os.getpid(),)) as pool:
        try:
            futures = {pool.submit(run, *job): job for job in jobs}
            for future in tqdm(as_completed(futures), total=len(jobs), unit="run", disable=not sys.stderr.isatty()):
                lesson, seed = futures[future]
                try:
                    done[lesson][seed] = future.result()
                except Exception as error:
                    failed.add(lesson)
                    tqdm.write(f"FAILED {lesson}, seed {seed}: {type(error).__name__}: {error}")
        except (KeyboardInterrupt, SystemExit):
            print("\ninterrupted; nothing is written")
            _command.kill_children()
            return 130
    for lesson in lessons:
        if lesson not in failed:
            print(write(lesson, done[lesson]).relative_to(records.ROOT).as_posix())
    return int(bool(failed))


if __name__ == "__main__":
    _command.start()
    sys.exit(main())
