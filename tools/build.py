"""Make the learner's edition (notebooks/) and the solved one (solutions/) from the sources under lessons/.

python -m tools.build                    build and execute everything
python -m tools.build lessons/x/y ...    only these
python -m tools.build --check            compare cells, ids and metadata with what is committed; execute nothing
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import multiprocessing
import os
import re
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import count, product
from pathlib import Path

import nbclient
import nbformat
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from tqdm import tqdm

from tools import _command, _course, _pages, _source, colab
from tools._command import QUIET
from tools._course import name_of

ROOT = Path(__file__).resolve().parent.parent
EDITIONS = ("notebooks", "solutions")
CHECK = re.compile(r'^(check\("\w+")\)$', re.M)
LESSONS = "<!-- lessons -->"  # where the start page has the course's maps and tables
PICTURE = ROOT / "results" / "certain-and-wrong.png"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def edition(source: Path, kind: str, lang: str = "en") -> NotebookNode:
    """One edition of one lesson, not executed: exercises open ("notebooks") or solved ("solutions")."""
    root, name, seen = _course.root_of(source), name_of(source), set[str]()
    known = _course.headers(root)
    raw = _source.read(source, lang)[1]
    lesson = _course.described(name, known[name], raw)
    raw.insert(1, nbformat.v4.new_code_cell(colab.CELL, metadata={"name": "colab", "tags": ["fold"]}))
    raw.append(nbformat.v4.new_markdown_cell(_course.onward(name, known, kind), metadata={"name": "onward"}))
    cells = [_cell(source.parent.name, cell, kind, seen) for cell in raw]
    title, _, text = cells[0].source.partition("\n")
    cells[0].source = f"{title}\n\n{_course.under_title(name, lesson, known)}\n{text}".rstrip()
    for cell in cells:
        if LESSONS in cell.source:
            cell.source = cell.source.replace(LESSONS, _pages.lessons(root, known, f"{kind}/{name}"))
    return nbformat.v4.new_notebook(cells=cells, metadata={**METADATA, "lesson": lesson})


def _cell(lesson: str, cell: NotebookNode, kind: str, seen: set[str]) -> NotebookNode:
    text = _source.SOLUTION.sub(r"\2" if kind == "solutions" else r"\1...\n", cell.source + "\n").removesuffix("\n")
    if kind == "solutions":
        text = CHECK.sub(r"\1, record=False)", text)  # a solution is nobody's own result
    make = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
    metadata = _kept(cell)
    if _source.folded(cell):  # JupyterLab folds by the first of these two, the site by the second
        whole = "fold-all" in metadata["tags"]
        metadata["jupyter"] = {"source_hidden": True} | ({"outputs_hidden": True} if whole else {})
        metadata["tags"] = [*metadata["tags"], "hide-cell" if whole else "hide-input"]
    return make(text, id=_cell_id(lesson, cell, seen), metadata=metadata)


def _kept(cell: NotebookNode) -> dict:
    """What the builder decides about a cell; JupyterLab completes the rest, and a reader unfolds what is folded."""
    return {key: cell.metadata[key] for key in ("name", "tags") if cell.metadata.get(key)}


def _cell_id(lesson: str, cell: NotebookNode, seen: set[str]) -> str:
    """The same in both editions and in every build; a named cell keeps its id when its text is edited."""
    text = cell.metadata.get("name", cell.source)
    for ordinal in count():
        found = hashlib.sha256(f"{lesson}/{text}/{ordinal}".encode()).hexdigest()[:12]
        if found not in seen:
            break
    seen.add(found)
    return found


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run every cell in `folder` and store outputs that are the same at every build."""
    os.environ.update(QUIET)
    client = nbclient.NotebookClient(
        notebook,
        timeout=_command.CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    notebook.metadata = nbformat.from_dict({**METADATA, "lesson": notebook.metadata["lesson"]})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)
            if any(o.get("name") == "stderr" for o in cell.outputs):
                raise ValueError(
                    f"a cell wrote to stderr; a reader would see a stray warning:\n{cell.source}\n{cell.outputs}"
                )
    seal_pictures(notebook)
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


def _pictures(cell: NotebookNode) -> list[tuple[NotebookNode, str]]:
    """The outputs with a picture and the form in which they hold it: an image, or HTML with one in it."""
    shown = [(o, mime) for o in cell.get("outputs", []) for mime in o.get("data", {})]
    in_html = re.compile(r"<(img|svg|script)\b", re.I)
    return [(o, m) for o, m in shown if m.startswith("image/") or (m == "text/html" and in_html.search(o.data[m]))]


def _drawn(cell: NotebookNode, picture: str) -> str:
    """A seal on a stored picture: its bytes, the lesson and the cell's name (both in the id), the code that drew it."""
    return hashlib.sha256("\0".join([cell.id, cell.source, "".join(picture.split())]).encode()).hexdigest()[:12]


def seal_pictures(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        for output, mime in _pictures(cell):
            output.metadata.setdefault(mime, {})["drawn"] = _drawn(cell, output.data[mime])


def foreign_pictures(notebook: NotebookNode) -> list[str]:
    """The cells with a picture that the builder did not store there: from elsewhere, edited, or of other code."""
    return [
        cell.metadata.get("name", cell.id)
        for cell in notebook.cells
        for output, mime in _pictures(cell)
        if output.metadata.get(mime, {}).get("drawn") != _drawn(cell, output.data[mime])
    ]


def sources() -> list[Path]:
    return _course.sources(ROOT)


def chosen(paths: list[Path], parser: argparse.ArgumentParser) -> list[Path]:
    """The sources that a caller named, by room or by file; all of them if none is named."""
    named, known = [path.resolve() for path in paths], sources()
    found = [path / "lesson.py" if path.is_dir() else path for path in named]
    for path in found:
        if path not in known:
            parser.error(f"{path} is not a lesson; lessons are rooms with a lesson.py: lessons/03_algorithms/04_adam")
    return found or known


def target(source: Path, kind: str) -> Path:
    return ROOT / kind / f"{name_of(source)}.ipynb"


def stored(path: Path) -> NotebookNode | None:
    """The notebook at `path`; none if there is none: no file, an empty one, one with git's conflict markers."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception:  # nbformat raises several kinds, also for JSON that is no notebook
        return None


def stale(source: Path, kind: str) -> bool:
    """True if the committed notebook's cells, their ids or the lesson's header are not what the source gives."""
    wanted, found = edition(source, kind), stored(target(source, kind))
    return found is None or _built(found) != _built(wanted)


def _built(notebook: NotebookNode) -> tuple:
    """Without outputs, and without what JupyterLab writes when a lesson is only opened: versions, times, views."""
    cells = [(c.cell_type, c.get("id"), c.source, _kept(c)) for c in notebook.cells]
    return notebook.nbformat, notebook.metadata.get("lesson"), cells


def build(job: tuple[Path, str, str, Path]) -> NotebookNode | str:
    """Execute one notebook in its folder; text says why there is none. Files are written by `place` alone."""
    source, kind, lang, folder = job
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return execute(edition(source, kind, lang), folder)
    except Exception as error:
        return f"FAILED {source.parent.name} ({kind}): {strip_ansi(str(error))}"


def place(notebook: NotebookNode, path: Path, out: Path) -> str:
    """Put a finished notebook where it belongs. An old one with other cells, somebody's work, is kept in replaced/."""
    old, told = stored(path), path.relative_to(out).as_posix()
    if path.exists() and (old is None or [c.source for c in old.cells] != [c.source for c in notebook.cells]):
        kept = keep(path, out / "replaced" / path.relative_to(out))
        told += f" (the one with other cells is kept: {kept.relative_to(out).as_posix()})"
    part = path.with_suffix(".part")
    part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    part.replace(path)
    return told


def keep(path: Path, aside: Path) -> Path:
    aside.parent.mkdir(parents=True, exist_ok=True)
    now = time.strftime("%Y%m%d-%H%M%S")
    for n in count(1):
        kept = aside.with_stem(f"{aside.stem}-{now}-{n}")
        if not kept.exists():
            break
    shutil.copy2(path, kept)
    return kept


def build_all(jobs: dict[Path, tuple[Path, str, str, Path]], out: Path) -> int:
    """Build in several processes, which end with this one; it alone writes files. Returns how many failed."""
    spawn, failed = multiprocessing.get_context("spawn"), 0  # a fork would hold the other builders' pipes open
    pool = ProcessPoolExecutor(os.cpu_count(), spawn, _command.pool_worker, (os.getpid(),))
    try:
        futures = {path: pool.submit(build, job) for path, job in jobs.items()}
        for path, future in tqdm(futures.items(), unit="notebook", disable=not sys.stderr.isatty()):
            try:
                made = future.result()
                if not isinstance(made, str):
                    made = place(made, path, out)
            except (OSError, RuntimeError) as error:  # a file cannot be written; a builder died
                made = f"FAILED {path.relative_to(out).as_posix()}: {error}"
            tqdm.write(made)
            failed += made.startswith("FAILED")
    except BaseException:
        _command.kill_children()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return failed


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.build", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", type=Path, help="rooms under lessons/; all of them by default")
    parser.add_argument(
        "--check", action="store_true", help="execute nothing, name the notebooks that are not up to date"
    )
    parser.add_argument("--lang", default="en", help="language of the cells that have one (default: en)")
    parser.add_argument("--out", type=Path, default=ROOT, help="folder that gets notebooks/ and solutions/")
    options = parser.parse_args(args)
    out = options.out.resolve()
    pairs = list(product(chosen(options.lessons, parser), EDITIONS))
    if options.check:
        return int(any([*[_told_stale(source, kind) for source, kind in pairs], _told_stale_pages()]))
    paths = [out / target(source, kind).relative_to(ROOT) for source, kind in pairs]
    jobs = {path: (*pair, options.lang, path.parent) for path, pair in zip(paths, pairs, strict=True)}
    try:
        failed = build_all(jobs, out)
    except KeyboardInterrupt:
        print("\ninterrupted: what is named above is built, every other notebook is as it was")
        return 130
    if out == ROOT and not failed:
        PICTURE.write_bytes(readme_picture())
    try:
        _pages.write(ROOT, out)
    except ValueError as error:
        failed += 1
        print(f"FAILED pages: {error}")
    return int(failed > 0)


def _told_stale_pages() -> bool:
    try:
        old = _pages.stale(ROOT)
    except ValueError as error:
        old = [f"a page of the course ({error})"]
    for page in old:
        print(f"{page} is not what the lessons' headers give; run: make notebooks")
    return bool(old)


def _told_stale(source: Path, kind: str) -> bool:
    path = target(source, kind).relative_to(ROOT)
    try:
        old = stale(source, kind)
    except ValueError as error:
        old = True
        print(f"{path} cannot be built: {error}")
    else:
        if old:
            print(f"{path} is not what lessons/ gives; run: make notebooks")
    return old


def readme_picture() -> bytes:
    """The README's picture is the stored output of one cell, so that it cannot drift from the lesson."""
    notebook = nbformat.read(ROOT / "notebooks" / "03_algorithms" / "01_binary_cross_entropy.ipynb", as_version=4)
    cell = next(c for c in notebook.cells if c.metadata.get("name") == "picture")
    return base64.b64decode(re.findall(r"iVBORw0KGgo[\w+/=]+", str(cell.outputs[0].data))[0])


if __name__ == "__main__":
    _command.start()
    sys.exit(main())
