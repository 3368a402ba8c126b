"""What the long commands share: any text can be printed, and what a command starts ends with it, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Thread

import psutil

QUIET = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LESSONS_PROGRESS": "off"}
MARK = "LESSONS_RUN"  # in the environment of a process: the folder that it works for; what it starts inherits it
PARAMETERS = ("device", "seed", "profile")  # of a lesson
CELL_TIMEOUT = 600  # seconds; it ends what hangs, and no slow machine reaches it


def start() -> None:
    """In a command: print what the console's code page lacks as escapes; a signal to end is an exception."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):  # Ctrl-C is an exception already; nohup has SIGHUP ignored
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))


def adopt() -> None:
    """From now on, what loses its parent below this process becomes its child; on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def kill_children() -> None:
    """End every process below this one, but for multiprocessing's tracker, which tidies up and ends by itself."""
    tracker = resource_tracker._resource_tracker._pid  # type: ignore[attr-defined]
    below = psutil.Process().children
    _kill(lambda: [child for child in below(recursive=True) if _lives(child) and child.pid != tracker])


def kill_marked(folder: Path) -> None:
    """End every process that works for this folder, also one whose parent is gone, and what such a process started."""

    def find() -> list[psutil.Process]:
        marked = [process for process in psutil.process_iter() if _marked(process, folder) and _lives(process)]
        return marked + [child for process in marked for child in _children(process)]

    _kill(find)


def _kill(find: Callable[[], list[psutil.Process]]) -> None:
    """Until none was found three times: a process that is being started shows neither its name nor its environment."""
    quiet, end = 0, time.monotonic() + 10
    while quiet < 3 and time.monotonic() < end:
        found = find()
        for process in reversed(found):  # the youngest first: an older one may be seeing to it as well
            with suppress(psutil.Error):
                process.kill()
        quiet = 0 if found else quiet + 1
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _marked(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.Error, OSError):  # it has ended, or is another user's
        return Path(process.environ().get(MARK, os.devnull)).is_relative_to(folder)
    return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return process.children(recursive=True)
    return []


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of this file, which ends with the process, however it ends; the file names the process."""
    with path.open("ab+", buffering=0) as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(1000)  # behind the number, which others may read
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.seek(0)
            sys.exit(f"process {file.read(20).decode()} is at work in {path.parent}; wait for it, or end it")
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        yield


def end_with_parent(wait: Callable[[], object]) -> None:
    """In a child: once `wait` returns, the parent is gone, by SIGKILL perhaps; then this process and all below it end.

    `wait` is `sys.stdin.read` where the parent holds the other end, for example.
    """

    def watch() -> None:
        wait()
        kill_children()
        os._exit(1)

    adopt()
    Thread(target=watch, daemon=True).start()


def pool_worker(parent: int) -> None:
    """What a process of a pool does first: leave Ctrl-C, which reaches every process, to the parent; end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(psutil.Process(parent).wait)
