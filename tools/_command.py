"""What the long commands share: any text can be printed, and what a command starts ends with it, however it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

import psutil

QUIET = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LESSONS_PROGRESS": "off"}
CELL_TIMEOUT = 600  # seconds; it ends what hangs, and no slow machine reaches it


def start() -> None:
    """In a command: print what the console's code page lacks as escapes; a signal to end is an exception."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):  # Ctrl-C is an exception already
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))


def kill_children() -> None:
    """End every process below this one; twice, for one that was being started meanwhile."""
    for _ in range(2):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()


def end_with_parent(wait: Callable[[], object]) -> None:
    """In a child: once `wait` returns, the parent is gone, by SIGKILL perhaps; then this process and all below it end.

    `wait` is `multiprocessing.parent_process().join`, or `sys.stdin.read` where stdin is a pipe that the parent holds.
    """

    def watch() -> None:
        wait()
        kill_children()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
