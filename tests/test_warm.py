"""The kernels of the notebooks' tests: forks that have imported, can be interrupted, and leave nothing behind."""

import sys
import time

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere kernels start as ever")


def told(client, code: str) -> str:
    """What a cell prints."""
    seen: list[str] = []
    client.execute_interactive(code, output_hook=lambda m: seen.append(m["content"].get("text", "")))
    return "".join(seen).strip()


def test_a_kernel_has_imported_obeys_and_ends_with_its_client(tmp_path):
    manager, client = start_new_kernel(kernel_name="python3", cwd=tmp_path, env={"ONE": "1", "LESSONS_PROGRESS": "off"})
    asked = (
        "import os, sys; print(os.getpid(), 'torch' in sys.modules, os.getcwd(), os.environ['ONE'], len(os.environ))"
    )
    pid, *rest = told(client, asked).split()
    assert rest[:3] == ["True", str(tmp_path), "1"] and int(rest[3]) < 20, "its own folder and environment"
    process = psutil.Process(int(pid))
    client.execute("import time; time.sleep(600)")
    time.sleep(1)
    manager.interrupt_kernel()
    assert client.get_shell_msg(timeout=60)["content"]["ename"] == "KeyboardInterrupt"
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    process.wait(30)
