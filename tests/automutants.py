"""Every way to change one thing in a function: what a test or a check of it must notice."""

import ast
import copy
from collections.abc import Callable, Iterator
from itertools import combinations

OTHER = {
    **{ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult], ast.Pow: [ast.Mult]},
    **{ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt]},
    **{ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq]},
}
RENAMED = {
    "max": "min",
    "argmax": "argmin",
    "maximum": "minimum",
    "mean": "sum",
    "std": "var",
    "ceil": "floor",
    "all": "any",
}
RENAMED |= {b: a for a, b in RENAMED.items()} | {"median": "mean", "log": "log2"}


def _edits(node: ast.AST) -> Iterator[tuple[str, Callable]]:
    """(what is done, the edit: it changes its node, or gives another for it)"""
    if isinstance(node, ast.BinOp):
        for other in OTHER.get(type(node.op), []):
            yield f"with {other.__name__}", lambda n, other=other: setattr(n, "op", other())
        yield "its left side", lambda n: n.left
        yield "its right side", lambda n: n.right
    if isinstance(node, ast.Compare):
        for other in OTHER.get(type(node.ops[0]), []):
            yield f"with {other.__name__}", lambda n, other=other: setattr(n, "ops", [other()])
    if isinstance(node, ast.UnaryOp):
        yield "without its sign", lambda n: n.operand
    if isinstance(node, ast.IfExp):
        yield "always so", lambda n: n.body
        yield "never so", lambda n: n.orelse
    if isinstance(node, ast.Call):
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        name = getattr(node.func, field, "")
        if name in RENAMED:
            yield f"with {RENAMED[name]}", lambda n: setattr(n.func, field, RENAMED[name])
        if len(node.args) == 1 and name in ("sqrt", "abs", "sign", "exp", "log", "log1p", "tanh", "ceil", "cumsum"):
            yield "its argument", lambda n: n.args[0]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield "plus 1", lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield "in reverse", lambda n: n.value.elts.reverse()


class _At(ast.NodeTransformer):
    def __init__(self, node: ast.AST, edit: Callable):
        self.node, self.edit = node, edit

    def visit(self, node):
        return (self.edit(node) or node) if node is self.node else super().visit(node)


class _Exchange(ast.NodeTransformer):
    def __init__(self, *names: str):
        self.names = dict([names, names[::-1]])

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node


def one_edit(tree: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    """(what was changed, the statement with this change) for each change that can be made."""
    for place, node in enumerate(ast.walk(tree)):
        for told, edit in _edits(node):
            mutant = copy.deepcopy(tree)
            at = [*ast.walk(mutant)][place]
            yield f"{ast.unparse(node)} {told}", _At(at, edit).visit(mutant)
    names = [a.arg for a in tree.args.args] if isinstance(tree, ast.FunctionDef) else []
    for pair in combinations(names, 2):
        mutant = copy.deepcopy(tree)
        mutant.body = [_Exchange(*pair).visit(line) for line in mutant.body]
        yield " and ".join(pair) + " exchanged", mutant
