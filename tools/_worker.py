"""The process of one notebook: execute it into a folder of its own and report; `tools.run` moves what is finished."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import papermill
from nbclient.exceptions import CellExecutionComplete, DeadKernelError
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.exceptions import strip_color

from tools._command import PARAMETERS

OUTPUT = 1_000_000  # characters that a cell may write
SHOWN, WIDE = 15, 1000  # lines of an error's text, and their length
START = 600  # seconds for a kernel to start, and for its last messages to arrive; slow machines take long


class Client(PapermillNotebookClient):
    """Papermill's client collects whatever a cell writes; this one ends a cell that writes too much."""

    async def async_execute_cell(self, *args, **kwargs):
        self.written = 0
        try:
            cell = await super().async_execute_cell(*args, **kwargs)
        except DeadKernelError:
            if self.written <= OUTPUT:
                raise
        if self.written > OUTPUT:
            raise RuntimeError(f"the cell wrote more than {OUTPUT:,} characters")
        return cell

    execute_cell = run_sync(async_execute_cell)

    def process_message(self, msg, cell, cell_index):
        self.written += len(repr(msg["content"]))
        if self.written > OUTPUT:
            self.task_poll_for_reply.cancel()  # nbclient does so for a kernel that has died
            raise CellExecutionComplete
        return super().process_message(msg, cell, cell_index)


def refuse_exit(cell, cell_index: int, execute_reply: dict) -> None:
    """For papermill sys.exit() is a success, and exit() nothing at all."""
    content = execute_reply["content"]
    if content.get("ename") == "SystemExit" or any(p["source"] == "ask_exit" for p in content.get("payload", [])):
        raise RuntimeError("the cell ended the program (exit): what follows did not run")


def execute(job: dict, settings: dict) -> None:
    """Run the notebook as `job` says; `settings` gets the values of its parameters."""
    source, copy, given = f"{job['folder']}/source.ipynb", f"{job['folder']}/copy.ipynb", job["parameters"]
    known = {name: str(p["default"]).strip("\"'") for name, p in papermill.inspect_notebook(source).items()}
    if unknown := set(given) - set(known):  # papermill would only warn
        raise ValueError(f"its parameters cell has no {', '.join(sorted(unknown))}; it has: {', '.join(known) or '-'}")
    settings |= {name: given.get(name, known[name]) for name in PARAMETERS if name in known}
    papermill.engines.PapermillNotebookClient = Client
    limits = {"execution_timeout": job["cell_timeout"], "start_timeout": START, "iopub_timeout": START}
    ends = {"shutdown_kernel": "immediate", "on_cell_executed": refuse_exit}
    where = {"kernel_name": "python3", "cwd": job["cwd"], "progress_bar": False}
    done = papermill.execute_notebook(source, copy, given, **where, **limits, **ends)
    if any(c.cell_type == "code" and c.source.strip() and c.execution_count is None for c in done.cells):
        raise RuntimeError("the cell was not executed")


def main() -> None:
    settings: dict[str, str] = {}
    job, error = json.loads(sys.argv[1]), None
    try:
        execute(job, settings)
    except Exception as problem:
        lines = strip_color(str(problem)).strip().splitlines()[-SHOWN:] or [type(problem).__name__]
        error = "\n".join(line[:WIDE] for line in lines)
        if isinstance(problem, OSError) and problem.errno:  # a disk is full: the copy is cut, the report needs its room
            Path(job["folder"], "copy.ipynb").unlink(missing_ok=True)
    Path(job["folder"], "report.json").write_text(json.dumps({"error": error, "settings": settings}), encoding="utf-8")


if __name__ == "__main__":
    main()
