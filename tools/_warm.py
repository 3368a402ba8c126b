"""Kernels that start at once, for the tests of the notebooks: forks of one process that has imported what lessons do.

Most of a short notebook's time goes into importing torch, SymPy and matplotlib, for every notebook of both editions
again. Here one server per test process does it once. A kernel's command is a small client that asks the server for a
fork, hands signals on to it, and ends with it, as it ends with the client. On Linux; elsewhere kernels start as ever.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from types import FrameType

LIBRARY = ("data", "derive", "exercises", "losses", "optim", "plots", "records", "second_order", "training")
PRELOAD = ("torch", "sympy", "matplotlib.pyplot", "sklearn.datasets", "ipykernel.kernelapp")
PATIENCE = 600  # seconds for the server's imports; it ends what hangs, and no slow machine reaches it


def install() -> None:
    """From now on, what this process starts through jupyter_client or nbval is such a kernel."""
    if sys.platform != "linux":
        return
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from nbval.kernel import NbvalKernelspecManager

    def spec(manager: KernelSpecManager, kernel_name: str) -> KernelSpec:
        return KernelSpec(argv=command(), display_name=kernel_name, language="python")

    for manager in (KernelSpecManager, NbvalKernelspecManager):
        setattr(manager, "get_kernel_spec", spec)  # noqa: B010 (mypy allows no assignment to a method)


@cache
def command() -> list[str]:
    """What starts a kernel; before the first, the server, which ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="warm"))
    door = str(folder / "door")
    server = subprocess.Popen([sys.executable, __file__, "serve", door], stdin=subprocess.PIPE)

    @atexit.register
    def close() -> None:
        server.communicate()
        shutil.rmtree(folder)

    return [sys.executable, "-I", "-S", __file__, "ask", door, "-f", "{connection_file}"]


def serve(door: str) -> None:
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as in every kernel
    for name in (*PRELOAD, *(f"lessons_lib.{name}" for name in LIBRARY)):
        __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a fork
    threading.Thread(target=lambda: os._exit(bool(sys.stdin.read())), daemon=True).start()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(door)
        listener.listen()
        while True:
            client, _ = listener.accept()
            with client:
                wanted = json.loads(client.makefile().readline())
                if os.fork() == 0:
                    listener.close()
                    kernel(client, **wanted)


def kernel(client: socket.socket, arguments: list[str], cwd: str, env: dict[str, str]) -> None:
    """In the fork: become a kernel, and end with the client."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    with open(os.devnull, "w") as nowhere:
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)
    sys.argv, sys.path[0] = ["ipykernel_launcher.py", *arguments], ""
    client.sendall(f"{os.getpid()}\n".encode())
    threading.Thread(target=lambda: os._exit(len(client.recv(1))), daemon=True).start()
    from ipykernel.kernelapp import IPKernelApp

    try:
        IPKernelApp.launch_instance()
    finally:
        os._exit(0)


def ask(door: str, *arguments: str) -> None:
    """In the client."""
    with socket.socket(socket.AF_UNIX) as server:
        end = time.monotonic() + PATIENCE
        while server.connect_ex(door):  # while the server imports
            if time.monotonic() > end:
                raise TimeoutError(f"no kernel after {PATIENCE} s")
            time.sleep(0.1)
        wanted = {"arguments": arguments, "cwd": os.getcwd(), "env": dict(os.environ)}
        server.sendall(json.dumps(wanted).encode() + b"\n")
        pid = int(server.makefile().readline())

        def hand_on(number: int, _: FrameType | None) -> None:
            os.kill(pid, number)

        signal.signal(signal.SIGINT, hand_on)
        signal.signal(signal.SIGTERM, hand_on)
        server.recv(1)


if __name__ == "__main__":
    (serve if sys.argv[1] == "serve" else ask)(*sys.argv[2:])
