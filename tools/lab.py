"""Open the course in JupyterLab, as a copy of your own under work/ that no update writes over.

python -m tools.lab [what JupyterLab understands, such as --no-browser]

Each start brings the copy up to date, lesson by lesson. One in which you changed no cell is replaced by its new
edition. One in which you did stays as it is; the new edition is put beside it, and the start page names it. A lesson
that you delete or rename comes back fresh.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import nbformat
from jupyterlab.labapp import LabApp
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("notebooks", "solutions")  # work/ has the same two, so that links from one to the other lead there as well
BESIDE = re.compile(r" \(new edition[ \d]*\)")


class Copy:
    """The personal copy, with a record of what it was made from: {name: [hash of the edition, hash of its text]}."""

    def __init__(self, work: Path):
        self.work, self.record = work, work / ".copied.json"
        try:
            self.made_from = dict(json.loads(self.record.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # then every file that differs counts as changed, and is kept
            self.made_from = {}
        for half in work.rglob(".*.part"):  # a start that was killed
            half.unlink()

    def text(self, name: str) -> str:
        return text_of(self.work / name)

    def untouched(self, name: str) -> bool:
        return self.text(name) in ("", self.made_from.get(name, ["", ""])[1])

    def put(self, name: str, edition: Path) -> None:
        """Copy an edition, trusted, so that its outputs are live. Only a whole file gets the name."""
        target = self.work / name
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(edition.read_bytes())
        if target.suffix == ".ipynb":
            NotebookNotary().sign(nbformat.read(part, as_version=4))
        part.replace(target)
        self.made_from[name] = [hash_of(edition.read_bytes()), text_of(edition)]

    def put_beside(self, name: str, edition: Path) -> list[str]:
        """Put an edition beside the changed copy `name`, unless it was put there before; the name that it got."""
        stem, dot, suffix = name.rpartition(".")
        for i in count(1):
            beside = f"{stem} (new edition{f' {i}' if i > 1 else ''}){dot}{suffix}"
            if self.made_from.get(beside, ["", ""])[1] == text_of(edition):
                return []
            if self.untouched(beside):
                break
        self.put(beside, edition)
        return [beside]

    def drop(self, name: str) -> None:
        """Remove what the course has no longer; what somebody changed stays."""
        if self.untouched(name):
            (self.work / name).unlink(missing_ok=True)
        del self.made_from[name]

    def save(self) -> None:
        part = self.record.with_name(".copied.part")
        part.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps(self.made_from, indent=1), encoding="utf-8")
        part.replace(self.record)


def update(root: Path) -> tuple[list[str], list[str]]:
    """Bring root/work up to date: the files that are fresh there, and the new editions put beside changed ones."""
    copy, fresh, beside = Copy(root / "work"), [], []
    editions = {file.relative_to(root).as_posix(): file for file in files(root)}
    changed_here = changed(root)
    try:
        for name, edition in editions.items():
            known, now = copy.made_from.get(name, ["", ""]), text_of(edition)
            if copy.untouched(name) or copy.text(name) == now:
                if copy.text(name) == "" or known[0] != hash_of(edition.read_bytes()):
                    copy.put(name, edition)
                    fresh.append(name)
                if name in changed_here:  # never take somebody's work for the course's own text
                    copy.made_from[name][1] = "changed"
                for other in [n for n in copy.made_from if n != name and BESIDE.sub("", n) == name]:
                    copy.drop(other)
            elif known[1] != now:
                beside += copy.put_beside(name, edition)
        for name in [n for n in copy.made_from if BESIDE.sub("", n) not in editions]:
            copy.drop(name)
    finally:
        copy.save()
    return fresh, beside


def files(root: Path) -> Iterator[Path]:
    """The lessons in both editions, and what lies beside them for their links."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
            if file.is_file() and not hidden and file.suffix != ".part":
                yield file


def changed(root: Path) -> set[str]:
    """What differs from git's own state: people worked in notebooks/ before there was a copy, and authors do."""
    try:
        listed = subprocess.run(["git", "ls-files", "-mz", *FOLDERS], cwd=root, capture_output=True, encoding="utf-8")
    except OSError:  # no git
        return set()
    return set(listed.stdout.split("\0"))


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def text_of(file: Path) -> str:
    """A hash of a notebook's cells, without outputs, counts and metadata, which Jupyter changes by itself."""
    if not file.exists():
        return ""
    content = file.read_bytes()
    if file.suffix == ".ipynb":
        try:
            cells = [[cell["cell_type"], "".join(cell["source"])] for cell in json.loads(content)["cells"]]
            content = json.dumps(cells).encode()
        except (ValueError, KeyError, TypeError):
            pass  # not a notebook (any more): all of it counts
    return hash_of(content)


def main(args: list[str]) -> None:
    fresh, beside = update(ROOT)
    print(f"Your copy of the course is the folder work/: {len(fresh)} files are fresh.")
    for name in beside:
        print(f"You have worked in {BESIDE.sub('', name)}; its newer edition is {name}.")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # small arrays run faster so
    settings = {"ip": "127.0.0.1", "ServerApp.root_dir": ROOT / "work"}
    settings["LabApp.default_url"] = "/lab/tree/notebooks/00_start_here.ipynb"
    ours = [f"--{key}={value}" for key, value in settings.items() if not any(a.startswith(f"--{key}=") for a in args)]
    ours += ["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    LabApp.launch_instance([*ours, *args])


if __name__ == "__main__":
    main(sys.argv[1:])
