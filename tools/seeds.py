"""Run the solved lessons with many seeds, and print the asserts that came closest to failing.

python -m tools.seeds                                  every lesson, ten seeds and three more
python -m tools.seeds lessons/03_algorithms/04_adam --seeds 0 11
"""

from __future__ import annotations

import argparse
import ast
import builtins
import contextlib
import io
import linecache
import math
import multiprocessing
import operator
import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tools import _command
from tools._course import name_of
from tools.build import chosen, edition

SEEDS = (*range(10), 42, 123, 2024)
CELL, LESSON = 10.0, 20.0  # seconds of CPU that a cell and a lesson may take on a quiet core
COMPARED = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}


@dataclass
class Played:
    """What one run of one lesson gave."""

    lesson: str
    seed: int
    failed: str = ""  # the cell that failed, and why
    seconds: dict[str, float] = field(default_factory=dict)  # of CPU, per cell
    rooms: dict[tuple[str, str], float] = field(default_factory=dict)  # (cell, comparison) -> the least room seen


class _Watched(ast.NodeTransformer):
    """Let every `a < b` of an assert report how far apart a and b are."""

    def __init__(self, text: str):
        self.text = text

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if not all(type(op) in COMPARED for op in node.ops):
            return node
        signs = ast.List([ast.Constant(type(op).__name__) for op in node.ops], ast.Load())
        said = ast.Constant(ast.get_source_segment(self.text, node) or "?")
        sides = [ast.Lambda(ast.arguments([], [], None, [], [], None, []), a) for a in (node.left, *node.comparators)]
        call = ast.Call(ast.Name("__compare", ast.Load()), [said, signs, *sides], [])
        return ast.copy_location(call, node)


def instrumented(text: str) -> ast.Module:
    """The cell's tree, with the comparisons watched that its asserts make or build on."""
    tree = ast.parse(text)
    named = {n.id for a in ast.walk(tree) if isinstance(a, ast.Assert) for n in ast.walk(a) if isinstance(n, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            node.test = _Watched(text).visit(node.test)
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in named for t in node.targets):
            node.value = _Watched(text).visit(node.value)
    return ast.fix_missing_locations(tree)


def room(a: Any, b: Any) -> float:
    """The distance of two numbers as a share of the larger: 0 is a tie, 1 is as far as it gets; the least of arrays."""
    import numpy as np

    try:
        a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    except (TypeError, ValueError):
        return math.inf
    with np.errstate(all="ignore"):
        share = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    share = share[np.isfinite(share)]
    return float(share.min()) if share.size else math.inf


def code_cells(source: Path) -> list[tuple[str, str, str]]:
    """(section, name, text) of the code cells of the solved edition; a section is the last "## " heading's words."""
    found, section = [], ""
    for n, cell in enumerate(edition(source, "solutions").cells, 1):
        if cell.cell_type == "code" and cell.metadata.get("name") != "colab":
            found.append((section, cell.metadata.get("name", f"cell {n}"), cell.source))
        else:
            section = ([line[3:] for line in cell.source.splitlines() if line.startswith("## ")] or [section])[-1]
    return found


def play(source: Path, seed: int) -> Played:
    """Run a lesson's solved edition in this process, which should be a fresh one."""
    lesson = name_of(source)
    played, name = Played(lesson, seed), ""

    def compare(said, signs, first, *others):
        result, left = True, first()
        for sign, other in zip(signs, others, strict=True):
            right = other()
            key = (name, said)
            played.rooms[key] = min(played.rooms.get(key, math.inf), room(left, right))
            held = COMPARED[getattr(ast, sign)](left, right)
            result = result and held if isinstance(result, bool) else result & held
            if result is False:
                return False
            left = right
        return result

    space: dict[str, Any] = {"__name__": "__main__", "__compare": compare, "__builtins__": builtins}
    for _, name, text in code_cells(source):
        begin = time.process_time()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                value = execute(text, f"<{lesson}, {name}>", space)
        except BaseException as error:  # a cell that calls sys.exit() has failed, too
            line = traceback.extract_tb(error.__traceback__)[-1].line or ""
            played.failed = f"{name}: {type(error).__name__}: {error} {line}".strip()
        else:
            state = getattr(value, "state", "right")
            played.failed = "" if state == "right" else f"{name}: {value}"
        played.seconds[name] = time.process_time() - begin
        if name == "parameters":
            space["seed"] = seed
        if played.failed:
            break
    return played


def execute(text: str, file: str, space: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line comes back if that is an expression."""
    tree = instrumented(text) if "__compare" in space else ast.parse(text)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # for tracebacks and inspect
    exec(compile(tree, file, "exec"), space)
    return eval(compile(ast.Expression(last.value), file, "eval"), space) if last else None  # type: ignore[attr-defined]


def fresh_processes() -> multiprocessing.context.BaseContext:
    """Processes that have nothing behind them but, where a process can fork, the imports that take long."""
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload(["torch", "sympy", "lessons_lib.exercises", "lessons_lib.plots"])
    return context


def summary(runs: list[Played], closest: int) -> None:
    rooms: dict[tuple[str, str, str], tuple[float, int]] = {}
    for run in runs:
        for (cell, said), r in run.rooms.items():
            key = (run.lesson, cell, " ".join(said.split()))
            rooms[key] = min(rooms.get(key, (math.inf, -1)), (r, run.seed))
    print(f"\nthe {closest} asserts that came closest (room: the distance as a share of the larger side)")
    for (lesson, cell, said), (r, seed) in sorted(rooms.items(), key=lambda item: item[1])[:closest]:
        print(f"  {r:6.3f}  seed {seed:<5} {lesson}, {cell}: {said[:90]}")
    print("\nseconds of CPU, the slowest seed")
    for lesson in sorted({run.lesson for run in runs}):
        slowest = max((run for run in runs if run.lesson == lesson), key=lambda run: sum(run.seconds.values()))
        whole, long = sum(slowest.seconds.values()), {n: s for n, s in slowest.seconds.items() if s > CELL}
        over = ["over the budget" * (whole > LESSON), *(f"{name} {s:.0f} s" for name, s in long.items())]
        print(f"  {whole:6.1f}  {lesson}  {', '.join(filter(None, over))}".rstrip())
    failed = [run for run in runs if run.failed]
    print(f"\n{len(runs) - len(failed)} passed, {len(failed)} failed")
    for run in sorted(failed, key=lambda run: (run.lesson, run.seed)):
        print(f"  {run.lesson}, seed {run.seed}, {run.failed}")


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.seeds", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", type=Path, help="rooms under lessons/; all of them by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time (default: %(default)s)")
    parser.add_argument("--closest", type=int, default=20, help="how many asserts to print (default: %(default)s)")
    options = parser.parse_args(args)
    lessons = chosen(options.lessons, parser)
    os.environ.update(_command.QUIET)
    runs: list[Played] = []
    jobs = list(product(options.seeds, lessons))
    worker = _command.pool_worker, (os.getpid(),)
    with ProcessPoolExecutor(options.jobs, fresh_processes(), *worker, max_tasks_per_child=1) as pool:
        try:
            futures = [pool.submit(play, source, seed) for seed, source in jobs]
            for future in tqdm(as_completed(futures), total=len(jobs), unit="run", disable=not sys.stderr.isatty()):
                run = future.result()
                runs.append(run)
                if run.failed:
                    tqdm.write(f"failed: {run.lesson}, seed {run.seed}, {run.failed}")
        except (KeyboardInterrupt, SystemExit):
            print("\ninterrupted; what has run:")
            _command.kill_children()
    summary(runs, options.closest)
    return 1 if len(runs) < len(jobs) or any(run.failed for run in runs) else 0


if __name__ == "__main__":
    _command.start()
    sys.exit(main())
