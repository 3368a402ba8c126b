"""Run a module of ours; whichever way it ends, and if our parent ends, end everything that it started.

python -m tools._guard tools._worker ...     stdin is a pipe that the parent holds: it ends when the parent does
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

from tools._command import MARK, adopt, kill_children, kill_marked


def main() -> int:
    adopt()
    process = subprocess.Popen([sys.executable, "-m", *sys.argv[1:]], stdin=subprocess.DEVNULL)

    def watch() -> None:
        os.read(0, 1)
        process.kill()

    Thread(target=watch, daemon=True).start()
    status = process.wait()
    kill_marked(Path(os.environ[MARK]))  # elsewhere what has lost its parent is found by its environment alone
    kill_children()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
