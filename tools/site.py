"""The site of the executed course: plain files that work from a folder, without a server or a network."""

from __future__ import annotations

import io
import posixpath
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from traceback import walk_tb
from urllib.parse import unquote

import nbformat
from docutils import nodes
from markdown_it.tree import SyntaxTreeNode
from myst_nb.core.render import MimeData, NbElementRenderer
from myst_nb.sphinx_ import SphinxNbRenderer
from myst_parser.warnings_ import MystWarnings
from sphinx.application import Sphinx
from sphinx.util.console import strip_escape_sequences
from sphinx.util.docutils import docutils_namespace
from sphinx.util.logging import getLogger

from lessons_lib.show import literal
from tools import _page
from tools._course import REFERENCE
from tools._mathml import mathml

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
    "html_js_files": ["math.js"],
    "html_copy_source": False,
    "html_show_copyright": False,
    "html_show_search_summary": False,  # it fetches pages, which a browser forbids to a page from a folder
    "html_math_renderer": "mathml",
    "myst_enable_extensions": ["amsmath", "dollarmath"],
    "myst_dmath_double_inline": True,
    # What Jupyter's Markdown does not have. With render_directive below, nothing in a lesson reads a file.
    "myst_disable_syntax": [
        *("front_matter", "footnote_def", "footnote_ref"),
        *("myst_block_break", "myst_line_comment", "myst_role", "myst_target"),
    ],
    "nb_execution_mode": "off",
    "nb_ipywidgets_js": {},  # these would come from the network
    "nb_merge_streams": True,
    "suppress_warnings": ["misc.highlighting_failure"],  # code in an unknown language is shown without colours
    "smartquotes": False,  # "none" in a table of options is code
    "nb_render_text_lexer": "text",
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
div.cell_output pre { white-space: pre-wrap; }
div.cell:has(> details.hide) { margin-block: 0.5rem; }
details.hide > summary p.admonition-title { font-size: 0.8rem; font-weight: normal; padding-block: 0.1rem; }
@media print {
  html { font-size: 12px; }
  div.math { overflow: visible; }
  div.highlight pre { white-space: pre-wrap; }
}
"""
# A formula that is wider than its page is scrolled by its reader's keyboard, too.
SCRIPT = """
const reach = () => document.querySelectorAll("div.math").forEach(formula => {
  if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0; else formula.removeAttribute("tabindex");
});
addEventListener("load", reach);
addEventListener("resize", reach);
"""
PICTURE = re.compile(r"!\[([^\]]*)\]\((results/[^)]+\.png)\)")  # the one that the README shows
MAP = re.compile(r"^!\[(.*)\]\(map\.svg\)$", re.M)  # on a section's page
TAGS = set(_page.TAGS.split()) | {"details", "summary"}
ABOUT = """\
Each lesson takes a loss function or an optimizer apart: it derives a formula and has a machine check the derivation,
shows the few lines of code that compute it, compares them with PyTorch, and answers one question with a picture."""
LOGGER = getLogger(__name__)


def build(root: Path, runs: dict[str, dict]) -> list[str]:
    """Make build/site/ from the copies in build/course/; returns what a page could not show, by lesson and cell.

    The committed solutions of these lessons become pages too. If no site can be made, the old one stays as it was.
    """
    pages = {name: root / "build/course" / name for name in runs if (root / "build/course" / name).exists()}
    solved = {re.sub("^notebooks/", "solutions/", name) for name in pages} - {*pages}
    pages |= {name: root / name for name in solved if (root / name).exists()}
    with tempfile.TemporaryDirectory(dir=root / "build") as folder:
        source, new = Path(folder, "source"), Path(folder, "site")
        (source / "_static").mkdir(parents=True)
        (source / "_static/math.css").write_text(STYLE, encoding="utf-8")
        (source / "_static/math.js").write_text(SCRIPT, encoding="utf-8")
        problems = [
            f"{name}: {problem}" for name in sorted(pages) for problem in write_page(source / name, pages[name])
        ]
        write_generated(source, root)
        write_front(source, root, runs, pages)
        problems += render(source, new, Path(folder, "doctrees"), root, pages)
        shutil.rmtree(root / "build/site", ignore_errors=True)
        new.rename(root / "build/site")
    return problems


def write_page(page: Path, copy: Path) -> list[str]:
    page.parent.mkdir(parents=True, exist_ok=True)
    try:
        notebook, problems = _page.page(copy)
        nbformat.write(notebook, page)
    except Exception as error:  # a copy that is cut short, or no notebook
        problems = [apology(page, error)]
    return problems


def write_generated(source: Path, root: Path) -> None:
    """The sections' pages with their maps, the glossary, the claims, like the lessons' pages: only links can miss."""
    for page in [*root.glob("notebooks/*/README.md"), *root.glob("notebooks/*.md")]:
        there = source / page.relative_to(root).with_suffix(".ipynb")
        there.parent.mkdir(parents=True, exist_ok=True)
        cell = nbformat.v4.new_markdown_cell(page.read_text(encoding="utf-8"))
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), there)
        if (drawn := page.with_name("map.svg")).exists():
            shutil.copy(drawn, there.with_name("map.svg"))


def apology(page: Path, error: Exception) -> str:
    """In place of a lesson that cannot be shown: a page that says so. The others are there."""
    said = f"this lesson has no page: {type(error).__name__}: {error}"
    text = f"# {page.stem}\n\n{said[0].upper()}{literal(said[1:500])}"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]), page)
    return said[:500]


def render(source: Path, new: Path, doctrees: Path, root: Path, pages: Collection[str]) -> list[str]:
    """Run Sphinx; a lesson on which it breaks gets an apology, and Sphinx another try."""
    problems: list[str] = []
    while True:
        warnings = io.StringIO()
        try:
            with docutils_namespace():
                Sphinx(source, None, new, doctrees, "html", SETTINGS | {"course": str(root)}, None, warnings).build()
        except Exception as error:
            at = [str(frame.f_locals.get("docname")) + ".ipynb" for frame, _ in walk_tb(error.__traceback__)]
            broken = [name for name in at if name in pages]
            if not broken or any(problem.startswith(f"{broken[-1]}: this") for problem in problems):
                raise RuntimeError(f"{type(error).__name__}: {error}") from error
            problems.append(f"{broken[-1]}: {apology(source / broken[-1], error)}")
            continue
        said = strip_escape_sequences(warnings.getvalue()).replace(f"{source}/", "").strip()
        return problems + [line for line in said.splitlines() if line]


def write_front(source: Path, root: Path, runs: dict[str, dict], pages: dict[str, Path]) -> None:
    """The course's front door; behind it how each lesson ran, and the parity tables."""
    behind = {"runs.md": "How each lesson ran"}
    (source / "runs.md").write_text(run_log(runs, pages), encoding="utf-8")
    if (root / "results/parity.md").exists():
        shutil.copy(root / "results/parity.md", source)
        behind["parity.md"] = "Ours against PyTorch"
    readme = root / "README.md"
    shown = PICTURE.search(readme.read_text(encoding="utf-8")) if readme.exists() else None
    text = [f"# {TITLE}", ABOUT]
    if shown and (root / shown[2]).exists():
        shutil.copy(root / shown[2], source / "front.png")
        text += [f"![{shown[1]}](front.png)"]
    text += [
        "**How to begin.** Read here, or solve the exercises on your own machine: `make lab` opens the first lesson."
    ]
    text += lessons(root, runs, pages)
    made = {str(Path(page).with_suffix(".ipynb")): title for title, page in REFERENCE.items()}
    behind = {page: title for page, title in made.items() if (source / page).exists()} | behind
    text += ["## Reference", *(f"- [{title}]({name})" for name, title in behind.items())]
    text += [tree("Reference", behind), tree("Solutions", sorted(set(pages) - set(runs)))]
    (source / "index.md").write_text("\n\n".join(text), encoding="utf-8")


def tree(caption: str, names: Iterable[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", *names, "```"])


def chapters(runs: dict[str, dict]) -> Iterator[tuple[str, list[str]]]:
    """The folders of the notebooks in order; the start page stands above the others."""
    for folder, group in groupby(sorted(runs, key=Path), key=lambda name: posixpath.dirname(name)):
        yield folder, list(group)


def called(folder: str) -> str:
    top = folder in ("notebooks", "solutions")
    return "Start" if top else re.sub(r"^\d+_", "", Path(folder).name).replace("_", " ").capitalize()


def header(copy: Path) -> dict:
    try:
        return dict(nbformat.read(copy, as_version=4).metadata.get("lesson", {}))
    except Exception:  # a copy that is cut short has an apology in its place
        return {}


def lessons(root: Path, runs: dict[str, dict], pages: dict[str, Path]) -> Iterator[str]:
    """A table per chapter: the lessons, the question of each, its minutes; above it the section's page and its map."""
    for folder, names in chapters(runs):
        page = root / folder / "README.md"
        said = page.read_text(encoding="utf-8") if page.exists() else f"# {called(folder)}"
        title, section = said.partition("\n")[0].lstrip("# "), [f"{folder}/README.ipynb"] * page.exists()
        yield f"## [{title}](<{section[0]}>)" if section else f"## {title}"
        yield from (f"![{alt}](<{folder}/map.svg>)" for alt in MAP.findall(said))
        yield "\n".join(table(names, pages))
        yield tree(title, [*section, *(name for name in names if name in pages)])


def table(names: list[str], pages: dict[str, Path]) -> Iterator[str]:
    yield from ["| lesson | the question it answers | minutes |", "|---|---|---:|"]
    for name in names:
        lesson = header(pages[name]) if name in pages else {}
        title, question, minutes = (literal(str(lesson.get(key, ""))) for key in ("title", "question", "minutes"))
        title = title or literal(Path(name).stem)
        yield f"| {f'[{title}](<{name}>)' if name in pages else title} | {question} | {minutes} |"


def run_log(runs: dict[str, dict], pages: Collection[str]) -> str:
    text = ["# How each lesson ran"]
    for folder, names in chapters(runs):
        rows = ["| lesson | result | seconds | run | settings |", "|---|---|---:|---|---|"]
        for name in names:
            run = runs[name]
            lesson = f"[{literal(name)}](<{name}>)" if name in pages else literal(name)
            result = f"**failed**, {literal(run['cell'])}" if run["error"] else "ok"
            settings = literal(", ".join(f"{key} {value}" for key, value in run["settings"].items()))
            rows.append(f"| {lesson} | {result} | {run['seconds']} | {run['date']} | {settings} |")
        text.append(f"## {called(folder)}\n\n" + "\n".join(rows))
    return "\n\n".join(text)


def visit_math(self, node: nodes.Element) -> None:
    block = isinstance(node, nodes.math_block)
    tag = "div" if block else "span"
    try:
        found = mathml(node.astext(), block)
    except Exception as error:  # docutils raises several kinds for a formula that it does not understand
        tex = " ".join(node.astext().split())
        LOGGER.warning("no MathML for this formula: %s: %s", error, tex, location=node)
        found = f"<code>{self.encode(node.astext())}</code>"
    self.body += [self.starttag(node, tag, "", CLASS="math"), found, f"</{tag}>"]
    raise nodes.SkipNode


def render_directive(self, token: SyntaxTreeNode, *_, **__) -> None:
    """A lesson is Jupyter's Markdown, in which nothing includes a file: a directive is shown as the text that it is."""
    text = f"{token.info}\n{token.content}".strip()
    self.current_node.append(nodes.literal_block(text, text, language="text"))


def render_link(self, token: SyntaxTreeNode, plain=SphinxNbRenderer.render_link) -> None:
    """A link to a page of the site or to the web stays one; what points elsewhere becomes its text."""
    href, env = unquote(str(token.attrGet("href") or "")), self.sphinx_env
    path = href.partition("#")[0]
    page = posixpath.normpath(posixpath.join(posixpath.dirname(env.docname), path))
    stem, kind = posixpath.splitext(page)
    if kind in (".ipynb", ".md") and stem in env.found_docs:
        token.attrs["href"] = posixpath.splitext(path)[0] + ".ipynb"
        return plain(self, token)
    if re.match("(https?|mailto):", href):
        return plain(self, token)
    if not (Path(env.config.course) / page).exists():
        refused(self, token, f"a link to nothing: {href}")
    return self.render_children(token)


def render_picture(self, token: SyntaxTreeNode, plain=SphinxNbRenderer.render_image) -> None:
    """The site holds maps and the pictures that cells drew; it fetches none, neither from this machine nor the web."""
    env = self.sphinx_env
    path = posixpath.normpath(posixpath.join(posixpath.dirname(env.docname), str(token.attrGet("src"))))
    if path.endswith("/map.svg") and not path.startswith(("..", "/")) and Path(env.srcdir, path).is_file():
        return plain(self, token)
    refused(self, token, f"a picture by a path: {token.attrGet('src')}")
    self.current_node.append(nodes.Text(token.content))


def render_html(self, token: SyntaxTreeNode, plain=SphinxNbRenderer.render_html_block) -> None:
    """Plain tags are kept (hints fold open); a script, a style, an open comment would reach beyond their place."""
    tags = re.findall("<[/!?a-zA-Z][^>]*>?", re.sub("(?s)<!--.*?-->", "", token.content))
    if all(re.fullmatch(r"</?(\w+)( open)?\s*/?>", tag) and re.findall(r"\w+", tag)[0].lower() in TAGS for tag in tags):
        return plain(self, token)
    refused(self, token, f"HTML that could reach beyond its place: {token.content[:80]!r}")
    self.current_node.append(nodes.literal(token.content, token.content))


def refused(self, token: SyntaxTreeNode, why: str) -> None:
    line = token.map[0] if token.map else None
    self.create_warning(why, MystWarnings.NOT_SUPPORTED, line=line)


def render_image(self, data: MimeData, plain=NbElementRenderer.render_image) -> list[nodes.Element]:
    """MyST-NB reads a picture's size from the output's metadata, and we its alt text too."""
    found = plain(self, data)
    for image in found:
        image["alt"] = data.output_metadata.get(data.mime_type, {}).get("alt", "")
    return found


def setup(app: Sphinx) -> None:
    app.add_config_value("course", "", "env", str)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    SphinxNbRenderer.render_directive = SphinxNbRenderer.render_restructuredtext = render_directive
    SphinxNbRenderer.render_link, SphinxNbRenderer.render_image = render_link, render_picture
    SphinxNbRenderer.render_html_block = SphinxNbRenderer.render_html_inline = render_html
    NbElementRenderer.render_image = render_image
