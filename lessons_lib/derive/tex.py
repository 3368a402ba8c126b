"""LaTeX of an expression as its author wrote it: no term moves and nothing cancels, as in SymPy's own printer."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly a piece of a formula holds together
CONSTANTS = {"pi": r"\pi", "oo": r"\infty", "E": "e"}
COMPARE = {ast.LtE: r"\le", ast.Lt: "<", ast.GtE: r"\ge", ast.Gt: ">"}
OPPOSITE: dict[type, type] = {ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Lt: ast.GtE}
BIG = {"Sum": r"\sum", "Product": r"\prod"}
OPEN = {name: rf"\{name}" for name in ("log", "tanh", "sinh", "cosh", "sin", "cos")}  # log x, without brackets
CLOSED = {"Max": r"\max", "Min": r"\min", "sign": r"\operatorname{sign}"}


def latex(text: str, names: Mapping[str, str]) -> str:
    """LaTeX of a Python expression; `names` holds the LaTeX of its symbols."""
    return _Writer(names).tex(ast.parse(text.strip(), mode="eval").body)


def bracket(tex: str) -> str:
    """In brackets as high as what they hold."""
    tall = any(word in tex for word in (r"\frac", r"\sum", r"\prod", r"\begin"))
    return rf"\left({tex}\right)" if tall else f"({tex})"


class _Writer:
    """A method per kind of node, which returns its LaTeX and how tightly that holds together."""

    def __init__(self, names: Mapping[str, str]):
        self.names = CONSTANTS | dict(names)

    def write(self, node) -> tuple[str, int]:
        method = getattr(self, type(node).__name__.lower(), None)
        if method is None:
            raise ValueError(f"{ast.unparse(node)!r} has no place in a formula")
        return method(node)

    def tex(self, node, least: int = SUM) -> str:
        """In brackets if it holds together less than is needed here."""
        tex, binding = self.write(node)
        return tex if binding >= least else bracket(tex)

    def constant(self, node):
        return str(node.value), ATOM

    def name(self, node):
        return self.names.get(node.id, node.id), ATOM

    def subscript(self, node):
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return f"{self.tex(node.value)}_{{{' '.join(map(self.tex, places))}}}", ATOM

    def unaryop(self, node):
        return f"-{self.tex(node.operand, PRODUCT)}", SUM

    def compare(self, node):
        return f"{self.tex(node.left)} {COMPARE[type(node.ops[0])]} {self.tex(node.comparators[0])}", SUM

    def binop(self, node):
        match node.op:
            case ast.Add():
                return f"{self.tex(node.left)} + {self.tex(node.right, PRODUCT if _negative(node.right) else SUM)}", SUM
            case ast.Sub():
                return f"{self.tex(node.left)} - {self.tex(node.right, PRODUCT)}", SUM
            case ast.Pow():
                return f"{self.tex(node.left, ATOM)}^{{{self._small(node.right)}}}", POWER
        if _negative(node):
            return f"-{self.tex(_positive(node), PRODUCT)}", SUM
        if isinstance(node.op, ast.Div):
            return rf"\frac{{{self.tex(node.left)}}}{{{self.tex(node.right)}}}", PRODUCT
        return self._product(_factors(node)), PRODUCT

    def _product(self, factors) -> str:
        tex = self._closed(factors[0])
        for node in factors[1:-1]:
            tex = _times(tex, self._closed(node))
        return _times(tex, self.tex(factors[-1], PRODUCT))

    def _closed(self, node) -> str:
        """A factor that others follow: one sees where it ends."""
        if _calls(node, OPEN):
            return OPEN[node.func.id] + bracket(self.tex(node.args[0]))
        return bracket(self.tex(node)) if _calls(node, BIG) else self.tex(node, PRODUCT)

    def _small(self, node) -> str:
        """An exponent: a fraction on one line."""
        if _negative(node):
            return f"-{self._small(_positive(node))}"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return f"{self.tex(node.left, PRODUCT)} / {self.tex(node.right, POWER)}"
        return self.tex(node)

    def call(self, node: Any):
        name, inner = node.func.id, node.args
        if name in BIG:
            return self._sum(BIG[name], *inner), PRODUCT
        if name == "exp":
            return f"e^{{{self._small(inner[0])}}}", POWER
        if name == "log1p":
            return self.call(ast.Call(ast.Name("log"), [ast.BinOp(ast.Constant(1), ast.Add(), inner[0])], []))
        if name == "sqrt":
            return rf"\sqrt{{{self.tex(inner[0])}}}", ATOM
        if name in ("Abs", "abs"):
            return rf"\left\vert {self.tex(inner[0])} \right\vert", ATOM
        if name == "Piecewise":
            return self._pieces([piece.elts for piece in inner]), ATOM
        if name == "KroneckerDelta":
            return rf"\delta_{{{' '.join(map(self.tex, inner))}}}", ATOM
        if name in OPEN:
            simple = self.write(inner[0])[1] == ATOM or _calls(inner[0], BIG)
            return f"{OPEN[name]} {self.tex(inner[0])}" if simple else self._closed(node), PRODUCT
        head = CLOSED.get(name) or self.names.get(name, rf"\operatorname{{{name}}}")
        return head + bracket(", ".join(map(self.tex, inner))), ATOM

    def _sum(self, sign: str, body, *ranges) -> str:
        parts = [[self.tex(part) for part in limits.elts] for limits in ranges]
        return "".join(rf"{sign}_{{{i} = {low}}}^{{{high}}} " for i, low, high in parts) + self.tex(body, PRODUCT)

    def _pieces(self, pieces) -> str:
        """Where two pieces meet, the second one says so in symbols and not with a word."""
        first, last = pieces[0][1], pieces[-1]
        if len(pieces) == 2 and isinstance(last[1], ast.Constant):
            last[1] = ast.Compare(first.left, [OPPOSITE[type(first.ops[0])]()], first.comparators)
        rows = r" \\ ".join(f"{self.tex(value)} & {self._where(condition)}" for value, condition in pieces)
        return rf"\begin{{cases}} {rows} \end{{cases}}"

    def _where(self, condition) -> str:
        return r"\text{otherwise}" if isinstance(condition, ast.Constant) else self.tex(condition)


def _calls(node: Any, names) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in names


def _negative(node) -> bool:
    """-a, and -a * b / c, which Python reads as (-a) * b / c."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        node = node.left
    return isinstance(node, ast.UnaryOp)


def _positive(node):
    """The same without its minus."""
    if isinstance(node, ast.UnaryOp):
        return node.operand
    return ast.BinOp(_positive(node.left), node.op, node.right)


def _factors(node) -> list:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), node.right]
    return [node]


def _times(left: str, right: str) -> str:
    """Two factors side by side: a dot before a digit, a thin space after a bracket."""
    return left + (r" \cdot " if right[0].isdigit() else " ") + right
