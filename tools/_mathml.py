"""Formulas as native MathML, which browsers draw without a script: docutils' translation, mended where TeX differs."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from docutils.utils.math.latex2mathml import tex2mathml

# What docutils does not know, or reads wrongly, said in words that it knows.
SAME = [
    (r"\\(begin|end)\{(?:align|gather|equation|split)\*?\}", r"\\\1{aligned}"),
    (r"\\operatorname\*", r"\\operatorname"),
    (r"\\dots(?![a-zA-Z])", r"\\ldots "),
    (r"\\([dt]?frac)\s*(\d)\s*(\d)", r"\\\1{\2}{\3}"),
    (r"\\([bB]igg?)\s*(?=[(\[]|\\\{|\\l)", r"\\\1l"),
    (r"\\([bB]igg?)\s*(?=[)\]]|\\\}|\\r)", r"\\\1r"),
    (r"\\iff(?![a-zA-Z])", r"\\Longleftrightarrow "),
    (r"\\[bB]igg?\s*/", "/"),
]
APPLY = "\u2061"  # invisible: this function of what follows


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
