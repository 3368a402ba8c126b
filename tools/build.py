"""Make the learner's edition (notebooks/) and the solved one (solutions/) from the sources under lessons/.

python -m tools.build                    build and execute everything
python -m tools.build lessons/x.py ...   only these
python -m tools.build --check            compare cells, ids and metadata with what is committed; execute nothing
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import jupytext
import nbclient
import nbformat
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
EDITIONS = ("notebooks", "solutions")
PICTURE = ROOT / "results" / "certain-and-wrong.png"
SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION\n?", re.M | re.S)
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
QUIET = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LESSONS_PROGRESS": "off"}


def edition(source: Path, kind: str, lang: str = "en") -> NotebookNode:
    """One edition of one lesson, not executed: exercises open ("notebooks") or solved ("solutions")."""
    raw = jupytext.read(source)
    cells: list[NotebookNode] = []
    seen: set[str] = set()
    for cell in raw.cells:
        if cell.metadata.get("lang", lang) != lang:
            continue
        cell_id = _cell_id(source.stem, cell, seen)
        text = _solved(cell.source) if kind == "solutions" else _open(cell.source)
        if "### BEGIN" in text or "### END" in text:
            raise ValueError(f"{source.name}: a solution region is not closed, or not opened:\n{cell.source}")
        make = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
        keep = {k: v for k, v in cell.metadata.items() if k in ("tags", "slideshow", "name")}
        cells.append(make(text, id=cell_id, metadata=keep))
    lesson = {"lesson": raw.metadata["lesson"]} if "lesson" in raw.metadata else {}
    return nbformat.v4.new_notebook(cells=cells, metadata={**METADATA, **lesson})


def _cell_id(lesson: str, cell: NotebookNode, seen: set[str]) -> str:
    """The same in both editions and in every build; a named cell keeps its id when its text is edited."""
    text = cell.metadata.get("name", cell.source)
    for ordinal in range(1000):
        found = hashlib.sha256(f"{lesson}/{text}/{ordinal}".encode()).hexdigest()[:12]
        if found not in seen:
            seen.add(found)
            return found
    raise ValueError(f"{lesson}: too many equal cells")


def _open(text: str) -> str:
    return SOLUTION.sub(r"\1...\n", text + "\n").removesuffix("\n")


def _solved(text: str) -> str:
    return SOLUTION.sub(r"\2", text + "\n").removesuffix("\n")


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run every cell in `folder` and store outputs that are the same at every build."""
    os.environ.update(QUIET)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", record_timing=False, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(
        {**METADATA, **{k: v for k, v in notebook.metadata.items() if k == "lesson"}}
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)
            if any(o.get("name") == "stderr" for o in cell.outputs):
                raise ValueError(
                    f"a cell wrote to stderr; a reader would see a stray warning:\n{cell.source}\n{cell.outputs}"
                )
    return notebook


def _merged(outputs: list) -> list:
    """How a stream is cut into pieces depends on when it was flushed: join the pieces."""
    joined: list = []
    for out in outputs:
        if joined and out.output_type == "stream" and joined[-1].get("name") == out.name:
            joined[-1].text += out.text
        else:
            joined.append(out)
    return joined


def sources() -> list[Path]:
    return sorted((ROOT / "lessons").rglob("*.py"))


def target(source: Path, kind: str) -> Path:
    return ROOT / kind / source.resolve().relative_to(ROOT / "lessons").with_suffix(".ipynb")


def stale(source: Path, kind: str) -> bool:
    """True if the committed notebook's cells, ids or metadata are not what the source gives."""
    wanted = edition(source, kind)
    if not target(source, kind).exists():
        return True
    found = nbformat.read(target(source, kind), as_version=4)
    for cell in found.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(found) != nbformat.writes(wanted)


def build(job: tuple[Path, str, str, Path]) -> str:
    """Build one notebook; what is printed about it comes back. A failure leaves the old notebook as it is."""
    source, kind, lang, out = job
    path = out / target(source, kind).relative_to(ROOT)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        notebook = execute(edition(source, kind, lang), path.parent)
    except Exception as error:
        return f"FAILED {source.name} ({kind}): {strip_ansi(str(error))}"
    if path.exists():
        keep_edits(path, notebook)
    part = path.with_suffix(".part")
    part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    part.replace(path)
    return path.relative_to(out).as_posix()


def keep_edits(path: Path, new: NotebookNode) -> None:
    """Somebody may have worked in the old notebook: if its cells differ, it is kept under build/replaced/."""
    old = nbformat.read(path, as_version=4)
    if [c.source for c in old.cells] != [c.source for c in new.cells]:
        aside = (
            ROOT
            / "build"
            / "replaced"
            / f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{path.parent.parent.name}.ipynb"
        )
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, aside)


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.build", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", type=Path, help="sources under lessons/; all of them by default")
    parser.add_argument(
        "--check", action="store_true", help="execute nothing, name the notebooks that are not up to date"
    )
    parser.add_argument("--lang", default="en", help="language of the cells that have one (default: en)")
    parser.add_argument("--out", type=Path, default=ROOT, help="folder that gets notebooks/ and solutions/")
    options = parser.parse_args(args)
    chosen = options.lessons or sources()
    for path in chosen:
        if path.resolve() not in sources():
            parser.error(f"{path} is not a lesson; lessons are lessons/**/*.py")
    if options.check:
        old = [target(s, kind) for s, kind in product(chosen, EDITIONS) if stale(s, kind)]
        for path in old:
            print(f"{path.relative_to(ROOT)} is not what lessons/ gives; run: make notebooks")
        return 1 if old else 0
    jobs = [(s, kind, options.lang, options.out.resolve()) for s, kind in product(chosen, EDITIONS)]
    failed = 0
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for line in tqdm(pool.map(build, jobs), total=len(jobs), unit="notebook", disable=not sys.stderr.isatty()):
            tqdm.write(line)
            failed += line.startswith("FAILED")
    if options.out == ROOT:
        PICTURE.write_bytes(readme_picture())
    return 1 if failed else 0


def readme_picture() -> bytes:
    """The README's picture is the stored output of one cell, so that it cannot drift from the lesson."""
    notebook = nbformat.read(ROOT / "notebooks" / "03_algorithms" / "01_binary_cross_entropy.ipynb", as_version=4)
    cell = next(c for c in notebook.cells if c.metadata.get("name") == "picture")
    return base64.b64decode(cell.outputs[0].data["image/png"])


if __name__ == "__main__":
    sys.exit(main())
