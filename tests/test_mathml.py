"""Formulas on the site: set as TeX sets them, or refused."""

import re

import pytest

from tools._mathml import mathml


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{a}{b} + \sqrt{x} + \operatorname{softmax}(z) + \mathrm{KL}",
        r"\sum_{i=1}^{n} \lVert x_i \rVert \quad \nabla_\theta \mathbb{E}[\partial f]",
        r"\big( x \big) \Big[ \bigl\{ y \bigr\} \Big] \big\lVert z \big\rVert",
        r"\frac{a}{b} \Big/ \sqrt{c}",
        r"\begin{aligned} a &= b \\ &= c \end{aligned}",
        r"\begin{align*} a &= b \\ &= c \end{align*}",
        r"f = \begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
        r"\operatorname*{arg\,min}_\theta \text{weight\_decay} \iff x_1, \dots, x_n",
    ],
)
def test_mathml(tex):
    assert mathml(tex, block=True).startswith("<math") and "\\" not in mathml(tex, block=True)


def test_mathml_reads_as_tex_does():
    assert re.sub(r"\s", "", mathml(r"\hat m_t", False)).startswith("<math><msub><mover"), (
        "t belongs beside m, not below"
    )
    assert mathml(r"\frac12 r", False).count("<mn>") == 2
    assert mathml(r"y \log p", False).count("mspace") == 4, "a thin space on each side"
    assert mathml(r"\log (p)", False).count("mspace") == 0


@pytest.mark.parametrize("tex", [r"\nonsense", r"\frac{a", "a}", r"\left( a", r"\begin{cases} 1", r"x_"])
def test_mathml_refuses(tex):
    with pytest.raises(ValueError):
        mathml(tex, block=True)
