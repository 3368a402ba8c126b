"""An executed notebook made fit for the site: no output, however odd, may cost more than itself."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import nbformat
from myst_nb.core.render import strip_latex_delimiters
from nbconvert.filters import strip_ansi
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode
from papermill.execute import remove_error_markers

from lessons_lib.plots import drawn_here
from tools._mathml import mathml

LINE, LINES = 2000, 2000  # characters of an output's line, lines of an output; the site cuts what is longer
TAGS = """abbr b blockquote br caption code div em hr i li ol p pre span strong sub sup table tbody td tfoot th thead tr
    u ul"""
STYLES = ["background", "border-left", "color", "font-weight", "padding", "padding-left", "text-align"]
HTML = SanitizeHTML(tags=TAGS.split(), attributes={"*": ["style"]}, styles=STYLES, strip=True)
INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # no page can hold these


def page(path: Path) -> tuple[NotebookNode, list[str]]:
    """The notebook with one form of each output, and what it had that the site cannot show."""
    cells: list[NotebookNode] = []
    problems: list[str] = []
    for cell in remove_error_markers(nbformat.read(path, as_version=4)).cells:
        text = INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", cell.source)
        if cell.cell_type == "markdown":
            cells.append(nbformat.v4.new_markdown_cell(text))
        if cell.cell_type != "code" or cell.metadata.get("name") == "colab":
            continue  # a page is read: nothing is fetched for it
        outputs: list[NotebookNode] = []
        odd: list[str] = []
        for output in cell.outputs:
            outputs += shown(output, odd)
        count = cell.execution_count
        cells.append(nbformat.v4.new_code_cell(text, outputs=outputs, execution_count=count, metadata=fold(cell)))
        called = cell.metadata.get("name") or cell.source.partition("\n")[0]
        problems += [f"cell {called!r}: {problem}" for problem in odd]
    language = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=language), problems


def fold(cell: NotebookNode) -> dict:
    """A folded cell's label is its first line, which says what it is."""
    hidden = {"hide-input", "hide-cell"}.intersection(cell.metadata.get("tags", []))
    if not hidden:
        return {}
    label = plain(cell.source.partition("\n")[0].strip("# "))
    return {"tags": [*hidden], "mystnb": {"code_prompt_show": label, "code_prompt_hide": label}}


def shown(output: NotebookNode, odd: list[str]) -> list[NotebookNode]:
    if output.output_type == "stream":
        return [nbformat.v4.new_output("stream", name=output.name, text=plain(output.text))]
    if output.output_type == "error":
        return [nbformat.v4.new_output("error", traceback=[plain("\n".join(output.traceback))])]
    for mime in sorted(output.data, key=[*READERS, *output.data].index):
        if mime not in READERS:  # a widget, a script, JSON: there is a text beside it, or a line says what it was
            continue
        try:
            data = {mime: READERS[mime](output.data[mime])}
        except Exception as error:  # a broken picture, a formula that cannot be set
            odd.append(f"its {mime} cannot be shown: {error}")
            continue
        metadata = {mime: output.metadata.get(mime, {})}
        return [nbformat.v4.new_output("display_data", data, metadata=metadata)]
    if not output.data:
        return []
    text = f"(not shown here: {plain(', '.join(output.data))})"
    return [nbformat.v4.new_output("display_data", {"text/plain": text})]


def plain(text: str) -> str:
    """Without colours and control characters; what is too long is cut, and says so."""
    lines = INVISIBLE.sub("", strip_ansi(text)).split("\n")
    cut = [f"{line[:LINE]} ... ({len(line) - LINE} more characters)" if len(line) > LINE else line for line in lines]
    return "\n".join([*cut[:LINES], f"... ({len(cut) - LINES} more lines)"] if len(cut) > LINES else cut)


def html(text: str) -> str:
    """Plain tags, each closed; the course's own pictures, which may move, as they are."""
    if drawn_here(text):
        return text
    return HTML.sanitize_html_tags(re.sub(r"(?is)<(script|style)\b.*?(</\1\s*>|$)", "", plain(text)))


def picture(text: str) -> str:
    if not b64decode(text, validate=False).startswith((b"\x89PNG", b"\xff\xd8", b"GIF8")):
        raise ValueError("these are not the bytes of a picture")
    return text


def svg(text: str) -> str:
    ElementTree.fromstring(text)
    return text


def latex(text: str) -> str:
    mathml(strip_latex_delimiters(text), block=True)
    return text


READERS = {  # the best first
    "text/html": html,
    "text/markdown": plain,
    "image/svg+xml": svg,
    "image/png": picture,
    "image/jpeg": picture,
    "image/gif": picture,
    "text/latex": latex,
    "text/plain": plain,
}
