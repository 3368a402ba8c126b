"""Ten statements of a function, predicted from its signature and docstring: three models, four kinds of answers."""

import ast
import re
import sysconfig
from pathlib import Path

import numpy as np

from lessons_lib.losses import soft_cross_entropy
from lessons_lib.losses._stable import sigmoid, softplus
from lessons_lib.optim import Adam, descend

SEEDS = range(20)
PENALTIES = 10.0 ** np.arange(-3.5, -0.9, 0.5)
NODES = {
    "return": ast.Return,
    "if": ast.If,
    "raise": ast.Raise,
    "try": ast.Try,
    "for": ast.For,
    "while": ast.While,
    "break": ast.Break,
    "with": ast.With,
    "continue": ast.Continue,
    "yield": (ast.Yield, ast.YieldFrom),
}
LABELS = list(NODES)
SETS = np.array([[s >> i & 1 for i in range(10)] for s in range(1024)], dtype=np.float32)


def functions():
    """module, signature, first line of the docstring, labels (10,) of every function that has a docstring."""
    found = {}
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
                signature = f"def {node.name}({ast.unparse(node.args)})"
                parts = [part for line in node.body[1:] for part in ast.walk(line)]
                y = [any(isinstance(part, kind) for part in parts) for kind in NODES.values()]
                found.setdefault((signature, text), (file.stem, signature, text.strip().split("\n")[0], y))
    return list(found.values())


def split(rows, seed, whole_modules=False):
    """Words (n, 400), labels and a part (0: training, 1: validation, 2: test) of every function."""
    names = [row[0] for row in rows] if whole_modules else range(len(rows))
    names = np.unique(names, return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(names.max() + 1)
    part = np.array([0, 0, 1, 2, 2])[order[names] * 5 // len(order)]
    words = [set(re.findall("[a-z]+", f"{row[1]} {row[2]}".lower().replace("_", " "))) for row in rows]
    often = {}
    for i in np.flatnonzero(part == 0):
        for word in words[i]:
            often[word] = often.get(word, 0) + 1
    chosen = sorted(often, key=lambda word: (-often[word], word))[:399]
    x = np.array([[1.0, *(word in found for word in chosen)] for found in words], dtype=np.float32)
    return x, np.array([row[3] for row in rows], dtype=np.float32), part


def train(x, y, strength, kind, steps=150):
    """Parameters (penalties, inputs, 10): of sigmoids, of a chain (inputs: also the labels before), of a softmax."""
    mask = np.ones((x.shape[1], 10), dtype=np.float32)
    if kind == "chain":  # label i sees the labels before it
        x, mask = np.hstack([x, y]), np.vstack([mask, np.triu(np.ones((10, 10), dtype=np.float32), 1)])
    if kind == "softmax":  # a function without any label has no shares
        x, y = x[y.any(1)], y[y.any(1)] / y[y.any(1)].sum(1, keepdims=True)
    cost = np.reshape(strength, (-1, 1, 1)).astype(np.float32) * np.ones((x.shape[1], 1), dtype=np.float32)
    cost[:, 0] = 0  # not for the constant

    def gradient(theta):
        z = x @ theta
        if kind == "softmax":
            slope = soft_cross_entropy(z, np.broadcast_to(y, z.shape)).grad
        else:
            slope = sigmoid(z) - y
        return mask * (x.T @ slope) / len(x) + cost * theta

    return descend(np.zeros((len(cost), x.shape[1], 10), dtype=np.float32), Adam(0.05), gradient, steps)[-1]


def cost_of(z, y, kind):
    """The loss of each example: (..., n)."""
    if kind == "softmax":
        some = y.any(1)
        z, y = z[..., some, :], y[some] / y[some].sum(1, keepdims=True)
        return soft_cross_entropy(z, np.broadcast_to(y, z.shape)).value
    return (softplus(z) - y * z).sum(-1)


def every_set(x, theta):
    """The chain's probability of all 1024 sets: (n, 1024)."""
    z, shift = x @ theta[: x.shape[1]], SETS @ theta[x.shape[1] :]
    found = np.zeros((len(x), 1024), dtype=np.float32)
    for i in range(10):
        at = z[:, i, None] + shift[:, i]
        found += SETS[:, i] * at - softplus(at)
    return np.exp(found)


def counts(answer, y):
    """Right yes, wrong yes and missed yes of each label."""
    return np.array([(answer * y).sum(0), (answer * (1 - y)).sum(0), ((1 - answer) * y).sum(0)])


def f1(c):
    return 2 * c[0] / np.maximum(2 * c[0] + c[1] + c[2], 1)


def scores(answer, y):
    """Errors per example, exact match, micro and macro F1; F1 of each label; break or continue without a loop."""
    c = counts(answer, y)
    odd = (answer[:, 6] + answer[:, 8] > 0) & (answer[:, 4] + answer[:, 5] == 0)
    whole = [np.abs(answer - y).sum(1).mean(), (answer == y).all(1).mean(), f1(c.sum(1)), f1(c).mean()]
    return [*map(float, whole), *map(float, f1(c)), float(odd.mean())]


CUTS = np.geomspace(0.002, 0.8, 60)


def thresholds(p, y):
    """The one threshold with the fewest errors, the one with the best micro F1, and one for each label with its F1."""
    tables = np.array([counts(p > cut, y) for cut in CUTS])  # (cuts, 3, 10)
    fewest = CUTS[tables[:, 1:].sum((1, 2)).argmin()]
    return fewest, CUTS[f1(tables.sum(-1).T).argmax()], CUTS[f1(tables.transpose(1, 0, 2)).argmax(0)]


def greedy(x, theta):
    """Label by label the more probable side, given the answers before."""
    z, answer = x @ theta[: x.shape[1]], np.zeros((len(x), 10), dtype=np.float32)
    for i in range(10):
        answer[:, i] = z[:, i] + answer @ theta[x.shape[1] :, i] > 0
    return answer


def judged(x, y, part, kind, backwards=False):
    """The penalty that wins on the validation part, and the answers that its model gives for the test part."""
    rows = [part == k for k in range(3)]
    if backwards:  # the chain from the last label to the first
        y = y[:, ::-1]
    thetas = train(x[rows[0]], y[rows[0]], PENALTIES, kind)
    inputs = np.hstack([x, y]) if kind == "chain" else x
    losses = cost_of(inputs[rows[1]] @ thetas, y[rows[1]], kind).mean(-1)
    theta, answers = thetas[losses.argmin()], {}
    found = {
        "penalty": int(losses.argmin()),
        "validation": losses.tolist(),
        "loss": float(cost_of(inputs[rows[2]] @ theta, y[rows[2]], kind).mean()),
    }
    if kind == "chain":
        joint = [every_set(x[r], theta) for r in rows[1:]]
        p, p_test = (j @ SETS for j in joint)
        mode, half = SETS[joint[1].argmax(1)], p_test > 0.5
        answers = {"mode": mode, "greedy": greedy(x[rows[2]], theta)}
        differ = (mode != half).any(1)
        right = [(a == y[rows[2]]).all(1)[differ].mean() for a in (half, mode)]
        found["differ"] = [float(differ.mean()), *map(float, right)]
    else:
        p, p_test = (x[r] @ theta for r in rows[1:])
        if kind == "softmax":
            p, p_test = (np.exp(v - np.log(np.exp(v).sum(1, keepdims=True))) for v in (p, p_test))
        else:
            p, p_test = sigmoid(p), sigmoid(p_test)
    if backwards:  # in the order of LABELS again
        y, p, p_test = y[:, ::-1], p[:, ::-1], p_test[:, ::-1]
        answers = {k: v[:, ::-1] for k, v in answers.items()}
    fewest, one, each = thresholds(p, y[rows[1]])
    found["cuts"] = [float(fewest), float(one), *map(float, each)]
    for k, cut in (("half", 0.5), ("fewest", fewest), ("one", one), ("each", each)):
        answers[k] = (p_test > cut).astype(np.float32)
    many = y[rows[2]].sum(1)
    total = p_test.sum(1)
    found["sum"] = [float(total[part].mean()) for part in (many == 0, many == 2, many > 3)]
    for k, answer in answers.items():
        found[k] = scores(answer, y[rows[2]])
        found[f"{k}, none"] = float((~answer[many == 0].any(1)).mean())
    return found


def run(seed):
    x, y, part = split(functions(), seed)
    test = y[part == 2]
    only_return = np.broadcast_to(np.eye(10, dtype=np.float32)[0], test.shape)
    a, b, c = split(functions(), seed, whole_modules=True)
    return {
        "sizes": [int((part == k).sum()) for k in range(3)],
        "none": float(1 - test.any(1).mean()),
        "constant": scores(only_return, test),
        "sigmoids": judged(x, y, part, "sigmoids"),
        "chain": judged(x, y, part, "chain"),
        "reversed": judged(x, y, part, "chain", backwards=True),
        "softmax": judged(x, y, part, "softmax"),
        "modules, constant": scores(np.broadcast_to(only_return[0], b[c == 2].shape), b[c == 2]),
        "modules, chain": judged(a, b, c, "chain"),
    }
