"""Make the course run on Google Colab: install what is missing there, and leave what is there as it is.

Each lesson's second cell calls this on Colab, after it has fetched the course; everywhere else that cell does nothing.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLABS_OWN = {"ipykernel", "jupyterlab"}  # a newer kernel than its own would cut the connection
CELL = """\
# On Google Colab, fetch the course; elsewhere, nothing
import importlib.util
import subprocess
import sys

if "google.colab" in sys.modules and not importlib.util.find_spec("lessons_lib"):
    address = input("The address that Colab opened this lesson from, up to the repository: ")
    subprocess.run(["git", "clone", "--depth=1", address, "/content/course"], check=True)
    subprocess.run([sys.executable, "-m", "tools.colab"], cwd="/content/course", check=True)
    sys.path.insert(0, "/content/course")"""


def missing(requirements: list[str]) -> list[str]:
    """Those of which no version is installed."""
    found = []
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            distribution(name)
        except PackageNotFoundError:
            found += [requirement] * (name not in COLABS_OWN)
    return found


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if needed := missing(project["dependencies"]):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *needed], check=True)


if __name__ == "__main__":
    main()
