"""The site of the executed course: plain files that work from a folder, without a server or a network."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

import nbformat
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from myst_nb.core.render import MimeData, NbElementRenderer
from papermill.execute import remove_error_markers
from sphinx.application import Sphinx
from sphinx.util.console import strip_escape_sequences

TITLE = "Loss functions and optimizers"
SETTINGS = {
    "project": TITLE,
    "author": "",
    "html_title": TITLE,
    "extensions": ["myst_nb", "tools.site"],
    "html_theme": "sphinx_book_theme",
    "html_theme_options": {"use_download_button": False, "home_page_in_toc": True, "navbar_persistent": []},
    "html_static_path": ["_static"],
    "html_css_files": ["math.css"],
    "html_copy_source": False,
    "html_show_copyright": False,
    "html_show_search_summary": False,  # it fetches pages, which a browser forbids to a page from a folder
    "html_math_renderer": "mathml",
    "myst_enable_extensions": ["amsmath", "dollarmath"],
    "myst_dmath_double_inline": True,
    "nb_execution_mode": "off",
    "nb_ipywidgets_js": {},  # these would come from the network
    "nb_merge_streams": True,
    "smartquotes": False,  # "none" in a table of options is code
    "nb_render_markdown_format": "myst",  # the other formats leave out tables or formulas
}
# docutils leaves the columns of MathML tables to the style sheet, as browsers do.
STYLE = """
div.math { display: block; overflow-x: auto; overflow-y: hidden; margin: 1rem 0; }
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "DejaVu Math TeX Gyre", math; }
math .boldsymbol { font-weight: bold; }
mtable.ams-align { math-style: normal; }
mtable.cases > mtr > mtd { text-align: left; }
mtable.ams-align > mtr > mtd { padding-left: 0; padding-right: 0; }
mtable.ams-align > mtr > mtd:nth-child(2n) { text-align: left; }
mtable.ams-align > mtr > mtd:nth-child(2n+1) { text-align: right; }
mtable.ams-align > mtr > mtd:nth-child(2n+3) { padding-left: 2em; }
"""
# What docutils does not know, or reads wrongly, said in words that it knows.
SAME = [
    (r"\\(begin|end)\{(?:align|gather|equation|split)\*?\}", r"\\\1{aligned}"),
    (r"\\operatorname\*", r"\\operatorname"),
    (r"\\dots(?![a-zA-Z])", r"\\ldots "),
    (r"\\([dt]?frac)\s*(\d)\s*(\d)", r"\\\1{\2}{\3}"),
    (r"\\([bB]igg?)\s*(?=[(\[]|\\\{|\\l)", r"\\\1l"),
    (r"\\([bB]igg?)\s*(?=[)\]]|\\\}|\\r)", r"\\\1r"),
    (r"\\iff(?![a-zA-Z])", r"\\Longleftrightarrow "),
]
APPLY = "\u2061"  # invisible: this function of what follows
LINK = re.compile(r"\[([^\]]*)\]\(([^():#\s]+\.ipynb)(?:#[^)]*)?\)")


def build(root: Path, runs: dict[str, dict]) -> None:
    """Make build/site/ from the copies in build/course/; a site that cannot be made leaves the old one as it was."""
    pages = {name for name in runs if (root / "build/course" / name).exists()}
    with tempfile.TemporaryDirectory(dir=root / "build") as folder:
        source, new = Path(folder, "source"), Path(folder, "site")
        for name in pages:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(page(root, name, pages), source / name)
        (source / "_static").mkdir(parents=True)
        (source / "_static/math.css").write_text(STYLE, encoding="utf-8")
        text = front(runs, pages)
        parity = root / "results/parity.md"
        if parity.exists():
            shutil.copy(parity, source / "parity.md")
            text += "\n## Reference\n\n{doc}`Ours against PyTorch <parity>`\n"
            text += "\n```{toctree}\n:hidden:\n:caption: Reference\nparity\n```\n"
        (source / "index.md").write_text(text, encoding="utf-8")
        warnings = io.StringIO()
        app = Sphinx(source, None, new, Path(folder, "doctrees"), "html", SETTINGS, None, warnings, warningiserror=True)
        app.build(force_all=True)
        if app.statuscode:
            raise RuntimeError(strip_escape_sequences(warnings.getvalue()).replace(f"{source}/", "").strip())
        shutil.rmtree(root / "build/site", ignore_errors=True)
        new.rename(root / "build/site")


def page(root: Path, name: str, pages: set[str]) -> nbformat.NotebookNode:
    """An executed copy for Sphinx. A link to a notebook that exists, but not on this site, becomes its text."""
    there = {root / other for other in pages}
    notebook = remove_error_markers(nbformat.read(root / "build/course" / name, as_version=4))

    def link(found: re.Match) -> str:
        target = (root / name).parent.joinpath(found[2]).resolve()
        return found[1] if target.exists() and target not in there else found[0]

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(link, cell.source)
    return notebook


def front(runs: dict[str, dict], pages: set[str]) -> str:
    """The front page: the lessons by chapter, and how each one ran."""
    text = [f"# {TITLE}", "Every lesson, executed.", ""]
    for folder, group in groupby(sorted(runs, key=Path), key=lambda name: Path(name).parent.name):
        names = list(group)
        top = folder in ("notebooks", "solutions")  # the start page stands above the chapters
        chapter = "Start" if top else re.sub(r"^\d+_", "", folder).replace("_", " ").capitalize()
        text += [f"## {chapter}", "| lesson | result | seconds | run | settings |", "|---|---|---:|---|---|"]
        for name in names:
            run, doc = runs[name], name.removesuffix(".ipynb")
            lesson = f"{{doc}}`{doc}`" if name in pages else name
            cell = run["cell"].replace("`", "'").replace("|", "\\|")
            result = f"**failed**, `{cell}`" if run["error"] else "ok"
            settings = ", ".join(f"{key} {value}" for key, value in run["settings"].items())
            text.append(f"| {lesson} | {result} | {run['seconds']} | {run['date']} | {settings} |")
        text += ["", "```{toctree}", ":hidden:", f":caption: {chapter}", *sorted(pages & {*names}), "```", ""]
    return "\n".join(text)


def mathml(tex: str, block: bool) -> str:
    """Native MathML, which browsers draw without a script."""
    for pattern, known in SAME:
        tex = re.sub(pattern, known, tex)
    bare = re.sub(r"\\[\\{}]", "", tex)
    for pair in (r"\{", r"\}"), (r"\\left\b", r"\\right\b"), (r"\\begin\b", r"\\end\b"):
        opened, closed = (len(re.findall(mark, bare)) for mark in pair)
        if opened != closed:  # docutils lets this pass
            raise ValueError(f"{opened} times {pair[0]} but {closed} times {pair[1]}")
    text = tex2mathml(tex, as_block=block).replace("&ApplyFunction;", APPLY)
    tree = ElementTree.fromstring(re.sub(" xmlns=[^ >]*", "", text))
    for node in list(tree.iter()):
        mend(node)
    found = ElementTree.tostring(tree, encoding="unicode", short_empty_elements=False)
    if "\\" in found:
        raise ValueError("a command is left over")
    return found


def mend(node: ElementTree.Element) -> None:
    """Set as TeX does what docutils sets otherwise: escapes in text, accents, bars, the space beside a function."""
    if node.text:  # \text{weight\_decay}, \operatorname{arg\,min}
        node.text = re.sub(r"\\([_%#&$])", r"\1", node.text).replace("\\,", "\u2009")
    if node.tag == "munderover" and {"stretchy", "accent"} & set(node[2].attrib):  # \hat m_t: t went below m
        hat = ElementTree.Element("mover", accent="true")
        hat.extend([node[0], node[2]])
        node.tag, node[:] = "msub", [hat, node[1]]
    for bar in (child for child in node if child.text in ("|", "‖")):
        fence = node.tag == "mrow" and bar in (node[0], node[-1])  # \left| ... \right| grows with its content
        bar.attrib.update({"lspace": "0", "rspace": "0", "stretchy": "true" if fence else "false"})
    for i in reversed([i for i, child in enumerate(node) if child.text == APPLY]):  # y log p, not ylogp
        if i + 1 < len(node) and node[i + 1].tag != "mo":
            node.insert(i + 1, ElementTree.Element("mspace", width="0.17em"))
        if i > 1 and (node[i - 2].tag != "mo" or node[i - 2].text == ")"):
            node.insert(i - 1, ElementTree.Element("mspace", width="0.17em"))


def visit_math(self, node: nodes.Element) -> None:
    block = isinstance(node, nodes.math_block)
    try:
        found = mathml(node.astext(), block)
    except Exception as error:  # docutils raises several kinds for a formula that it does not understand
        raise RuntimeError(
            f"{self.builder.current_docname}: no MathML for this formula: {error}\n{node.astext()}"
        ) from None
    self.body += [
        self.starttag(node, "div" if block else "span", "", CLASS="math"),
        found,
        "</div>" if block else "</span>",
    ]
    raise nodes.SkipNode


def render_image(self, data: MimeData, plain=NbElementRenderer.render_image) -> list[nodes.Element]:
    """MyST-NB reads a picture's size from the output's metadata, and we its alt text too."""
    found = plain(self, data)
    for image in found:
        image["alt"] = data.output_metadata.get(data.mime_type, {}).get("alt", "")
    return found


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    NbElementRenderer.render_image = render_image
