"""What lessons show: source without docstrings, tables, rounded numbers, pictures that hold the data they claim."""

import html
import re

import numpy as np
import pytest
import torch
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from benchmarks import bench
from lessons_lib import landscapes, plots
from lessons_lib.losses import binary_cross_entropy
from lessons_lib.optim import Adam
from lessons_lib.parity import cases
from lessons_lib.self_check import self_check
from lessons_lib.show import Table, rounded, show


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (12.3456, "12.35"),
        (0.1234567, "0.1235"),
        (0.99999988, "1.000"),
        (1.23e-17, "1.23e-17"),
        (0.0, "0.0"),
        (np.float32(2.5), "2.500"),
        (torch.tensor(-123456.0), "-1.23e+05"),
        (float("nan"), "nan"),
        (7, "7"),
        (True, "True"),
        ("text", "text"),
    ],
)
def test_rounding(x, text):
    assert rounded(x) == text


def test_show_quotes_the_library_itself_without_its_checks():
    text = str(show(binary_cross_entropy, Adam))
    left_out = ", its checks of input left out"
    assert text.startswith(f"# lessons_lib/losses/binary_cross_entropy.py{left_out}\ndef binary_cross_entropy(")
    assert "v_hat = v / (1 - self.beta2**t)" in text and '"""' not in text and "fraction(" not in text
    assert str(show(Adam.init)).startswith("# lessons_lib/optim/adam.py\ndef init(self, theta)")
    assert show(Adam)._repr_mimebundle_()["text/markdown"].startswith("```python\n# lessons_lib/optim/adam.py")


def test_a_table_is_markdown_with_a_plain_twin():
    bundle = Table(["a", "b"], [[1.23456, "x|y"], [2, "z"]], "note")._repr_mimebundle_()
    assert bundle["text/markdown"].splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| 1.235 | x&#124;y |",
        "| 2 | z |",
        "",
        "note",
    ]
    assert bundle["text/plain"].splitlines() == ["a      b", "1.235  x|y", "2      z", "note"]


ODD = ["<unk>", "x*y*z", "a $b$ c", "_i_ __init__", "`c`", "[a](b) ![a](b)", "a|b", r"\(x\) \\", "&amp; &", "~~s~~"]


def test_a_table_shows_text_as_it_is():
    odd = [*ODD, "$$x$$", r"\begin{align}x\end{align}", "<!--", "{doc}`x`", "a\nb  c"]
    reader = MarkdownIt("gfm-like", {"linkify": False}).use(dollarmath_plugin).use(myst_role_plugin)
    page = reader.render(Table(odd, [odd, odd[::-1]], "A `note` is *Markdown*.")._repr_mimebundle_()["text/markdown"])
    cells = re.findall("(?s)<t[hd]>(.*?)</t[hd]>", page)
    wanted = [" ".join(text.split()) for text in [*odd, *odd, *odd[::-1]]]
    assert [html.unescape(re.sub("</?span>", "", cell)) for cell in cells] == wanted
    pieces = [html.unescape(piece) for cell in cells for piece in re.split("</?span>", cell)]
    assert not [p for p in pieces if re.search(r"[$\\].", p)], "MathJax reads the page once more, text by text"
    assert "<p>A <code>note</code> is <em>Markdown</em>.</p>" in page


def test_lines_hold_their_data_and_are_told_apart_without_colour():
    x = np.arange(5)
    picture = plots.lines(x, {"one": x**2, "two": (x, x + 1, x + 2)}, "steps", "loss", "two rising lines", log="y")
    (ax,) = picture.fig.axes
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), x**2)
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), x + 1)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("steps", "loss", "log")
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle() and len(ax.collections) == 1


def test_a_path_ends_where_it_ends():
    trail = np.array([[0.0, 0.0], [0.5, 0.2], [1.0, 1.0]])
    (ax,) = plots.paths(landscapes.rosenbrock(), {"walk": trail}, "a walk to the minimum").fig.axes
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1.0, 1.0]])  # the star
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), trail)


def test_the_installation_is_checked_and_a_bad_one_is_named(monkeypatch):
    assert "All is well." in str(self_check())
    monkeypatch.setattr("lessons_lib.self_check.version", lambda name: "0.0.1" if name == "torch" else "99")
    table = str(self_check())
    assert "Not as tested" in table and "torch" in table and "make lab" in table


def test_the_benchmark_prints_ratios(capsys):
    assert bench.main(["--small", "--rounds", "1"]) == 0
    printed = capsys.readouterr().out
    assert printed.count(" 1.00 x ") >= 3 and "TorchOptimizer(AdamW)" in printed
    each = [line.split()[2] for line in printed.split("Ours / PyTorch's")[1].splitlines()[1:]]
    assert sorted(each) == sorted({c.name for c in (*cases.LOSSES, *cases.RULES)})
