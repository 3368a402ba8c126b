"""Judging of answers: the lessons' own solutions in every dress are right, and what differs in one place is refused."""

import ast
import copy
import inspect
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from automutants import one_edit

from lessons_lib import exercises
from lessons_lib.exercises import Exercise, engine, judge
from lessons_lib.exercises.edits import edited

ALL = {f"{e.lesson}/{e.name}": e for e in exercises.everywhere()}
FUNCTIONS = [key for key, e in ALL.items() if callable(e.solution)]


def _named(name: str) -> Exercise:
    """The only exercise of this name."""
    [found] = [e for e in ALL.values() if e.name == name]
    return found


def _run(exercise: Exercise, code: str | ast.stmt):
    return edited(
        ast.unparse(code) if isinstance(code, ast.AST) else code, "", exercise.names | {"torch": torch, "F": F}
    )


def _judged(exercise: Exercise, answer) -> str:
    """The state alone: no time is spent on the sentences."""
    return judge(replace(exercise, mistakes={}), answer).state


def _each(change, value):
    if isinstance(value, list | tuple):
        return type(value)(_each(change, part) for part in value)
    return {k: _each(change, v) for k, v in value.items()} if isinstance(value, dict) else change(value)


def _float32(value):
    if torch.is_tensor(value):
        return value.float() if value.is_floating_point() else value
    return value.astype(np.float32) if getattr(getattr(value, "dtype", None), "kind", "") == "f" else value


def _learnable(value):
    if isinstance(value, bool | str) or value is None or torch.is_tensor(value):
        return value
    tensor = torch.as_tensor(np.asarray(value))
    return tensor.requires_grad_() if tensor.is_floating_point() else tensor


def _spoiling(solution):
    def answer(*args):
        result = copy.deepcopy(solution(*args))
        for array in args:
            if isinstance(array, np.ndarray):
                array[...] = array.dtype.type(7)
        return result

    return answer


DRESSES = {
    "as it is": lambda f: f,
    "float32": lambda f: lambda *args: f(*_each(_float32, args)),
    "float32, then numbers": lambda f: (
        lambda *a: _each(lambda r: getattr(r, "tolist", lambda: r)(), f(*_each(_float32, a)))
    ),
    "tensors that want a gradient": lambda f: lambda *args: _each(_learnable, f(*args)),
    "arrays without axes": lambda f: lambda *args: _each(lambda r: np.asarray(r) if np.isscalar(r) else r, f(*args)),
    "in place": _spoiling,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_lessons_solution_is_right_in_every_dress(name):
    told = {dress: _judged(ALL[name], put_on(ALL[name].solution)) for dress, put_on in DRESSES.items()}
    assert told == dict.fromkeys(DRESSES, "right")


RIGHT = {
    "batch_size": """def batch_size(a, v):
    a -= a.mean()
    a *= a
    return next(b for b in range(1, len(a) + 1) if a.mean() / b * (len(a) - b) / (len(a) - 1) <= v + 1e-12)""",
    "bce_value": """def bce_value(logits, target):
    z = torch.tensor(logits, requires_grad=True)
    return F.binary_cross_entropy_with_logits(z, torch.tensor(target), reduction="none")""",
    "corrected_rmsprop": """def corrected_rmsprop(theta, g, s, t, lr, rho, eps):
    theta, g, s = (torch.as_tensor(a, dtype=torch.float32) for a in (theta, g, s))
    s = torch.lerp(g**2, s, rho)
    return theta.sub_(lr * g / ((s / (1 - rho**t)).sqrt() + eps)), s""",
    "tuned": """def tuned(low, high):
    root = (high**0.5 - low**0.5) / (high**0.5 + low**0.5)
    return np.array([(1 + root) ** 2 / high, root**2])""",
    "loaves": """def loaves(y, short, left):
    return max(y, key=lambda c: -sum(short * max(d - c, 0) + left * max(c - d, 0) for d in y))""",
    "auc": """def auc(positive, negative):
    points = [1.0 if p > n else 0.5 if p == n else 0 for p in positive for n in negative]
    return sum(points) / len(points)""",
    "epoch": """def epoch(order, B):
    return np.split(order, range(B, len(order), B))""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_another_way_is_right_too(name):
    exercise = _named(name)
    assert judge(exercise, _run(exercise, RIGHT[name])).message == ""


# (exercise, what stands in the lesson's solution, what is put there): each was once accepted
WRONG = [
    ("log_softmax", "logits.max(axis=-1, keepdims=True)", "logits[:, :1]"),
    ("ce_grad", "logits.max(axis=-1, keepdims=True)", "logits[:, :1]"),
    ("ce_grad", "logits.shape[-1]", "4"),
    (
        "bce_value",
        "def bce_value(logits, target):",
        "def bce_value(logits, target):\n    logits = np.clip(logits, -1e3, 1e3)",
    ),
    (
        "loaves",
        "y[np.argmax(np.arange(1, len(y) + 1) / len(y) >= q)]",
        "np.quantile(y, q, method='averaged_inverted_cdf')",
    ),
    ("auc", "(lead > 0) + (lead == 0) / 2", "np.where(abs(lead) < 0.15, 0.5, lead > 0)"),
    ("auc", "(lead > 0) + (lead == 0) / 2", "np.where(abs(lead) < 1.5e-6, 0.5, lead > 0)"),
    ("loaves", "short / (short + left)", "round(short) / (round(short) + round(left))"),
    ("best_constant", "def best_constant(y, w):", "def best_constant(y, w):\n    w = np.round(w, 3)"),
    ("semi_hard", "> d_p", "> 1.001 * d_p"),
    ("least_momentum", "lr * low", "lr * max(low, 1)"),
    ("bowl_end", "np.clip(a, ", "np.clip(np.clip(a, -10, 10), "),
    ("skewed_kl", "np.where(some, p, 1) / m", "p / m"),
    ("micro_batch_share", "weights * values", "np.round(weights) * values"),
    ("from_votes", "votes.shape[1]", "4"),
    ("least_momentum", "lr * low", "lr"),
    ("least_momentum", "return max", "return 0.0 if lr * low > 1 else max"),
    ("bowl_end", "-1 / weight_decay, 1 / weight_decay", "-4, 4"),
    ("after_silence", "range(1, 1000)", "range(1, 300)"),
    ("windowed_divisor", "all_v[-n:]", "all_v[len(all_v) - n:]"),
    ("windowed_divisor", "all_v[-n:]", "[all_v[k] for k in range(-n, 0)]"),
    ("torch_numbers", "warmup - 1, total", "warmup - 1.5, total"),
    ("clip_relative", "ratio *", "0.1 *"),
    ("scaled_step", "/ S for", "/ 64 for"),
    ("scaled_step", "limit / max(size, limit)", "2 / max(size, 2)"),
    ("scaled_step", "a.astype(np.float32)", "a"),
    ("training_bytes", "4 * kept", "4 * min(kept, 2)"),
    ("early_stop", "losses[t] < losses[best]", "losses[t] < losses[best] - 0.01"),
    ("fair", "np.median", "(lambda row: np.sort(row)[(len(row) - 1) // 2])"),
    ("fair", "results.items()", "list(results.items())[:3]"),
]


@pytest.mark.parametrize(("name", "old", "new"), WRONG)
def test_a_wrong_answer_is_refused(name, old, new):
    exercise = _named(name)
    right = ast.unparse(ast.parse(exercise.source))
    assert old in right
    verdict = judge(exercise, _run(exercise, right.replace(old, new)))
    assert verdict.state == "not right yet" and "check failed" not in verdict.message


def _identity(value) -> str:
    return repr(value.tolist() if hasattr(value, "tolist") else value)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_constant_can_stand_for_an_argument(name):
    exercise, calls = ALL[name], []
    solution = exercise.solution

    def listening(*args):
        calls.append(args)
        return solution(*args)

    assert _judged(exercise, listening) == "right"
    for place, _ in enumerate(inspect.signature(solution).parameters):
        values = list({_identity(args[place]): args[place] for args in calls if len(args) > place}.values())
        for value in values[:2] + values[-1:] + [1.0] * np.isscalar(values[0]):
            constant = lambda *args: solution(*args[:place], copy.deepcopy(value), *args[place + 1 :])  # noqa: B023, E731
            assert _judged(exercise, constant) == "not right yet", (place, value)


# one-edit mutants of the solutions that compute the same: {what the reason is: patterns of exercise and edit}
EQUIVALENT = {
    "a quotient has the sign of the product, and 0 / 0 is not above 0": r"disagreements: .* with Div$",
    "a sum or a product is the same in either order": (
        r"disagreements: loss and accuracy|decays_least: theta and|"
        r"warm_up: a and b|micro_batch_share: (values and weights|B and mean)|half_life: lr and|"
        r"heavy_ball: u and momentum|first_losses: m and s|same_line: lam and N|carry: w and N|"
        r"same_kind: slopes and targets|adapter_step: scale and lr|until_apart: eta and h"
    ),
    "two logs may be exchanged": r"parted: a and b exchanged",
    "a line over another logarithm predicts the same": r"level: np.log\(N\) with log2",
    "a sum and a mean over the same sizes have the same minimum": r"level: np.sum\(.* with mean$",
    "a mean of both directions has no first side": r"two_way: u and v exchanged",
    "a matrix and its transpose keep as much": "kept_bytes: rows and cols exchanged",
    "the square of a logarithm has no sign": r"factor: low and high exchanged$",
    "no guess is exactly a length": r"who: y\[:, None\] < guesses with LtE$",
    "a rounded loss is never just as near to both": r"who_masked: .* with LtE$",
    "of two axes the last is number 1": r"(log_softmax|ce_grad|smoothed_grad|reverse_kl): -1 without its sign",
    "only how far to look": r"(dead_logits: (1|200)|longest_at: (1|1000)|after_silence: 1000|steps_until: 1000) plus 1",
    "1 + exp(-z) is 1 where its inverse is": r"dead_logits: 1 / \(1 \+ .*\) (with Mult|its right side)$",
    "RAdam never divides in step 1": "first_division: 1 plus 1",
    "exactly a thousandth is not met": "same_kind: .* < 0.001 with LtE$",
    "exactly that share is never kept": "enough: kept < share with LtE$",
    "exactly that sure is never met": r"tries: .*< sure with LtE$",
    "exactly 5 is not met in floating point": "first_division: .*<= 5 with Lt$",
    "the square forgets the sign, and the rate is symmetric": "tuned: low and high",
    "a pair that swaps places swaps back": "swapped: before and after",
    "a whole number is one in either type": r"batch_size: .*int",
    "a common factor of all weights cancels": r"reweighted: 1 plus 1",
    "the largest mean has the largest sum": r"decays_least: np\.mean.* with sum$",
    "a product of two numbers is the same in either order": "newcomer_wins: rivals and n exchanged",
    "a product of a probability and a share is the same in either order": "^corrected: p and new exchanged$",
    "the lowest mean has the lowest sum": r"(tune_and_judge: .*few\]\.mean|shares_first: losses\.mean).* with sum$",
    "a mean has the sign of its sum": r"falls: .*sum\(1\) with mean$",
    "what stands where p is 0 is not used": r"skewed_kl: 1 plus 1",
    "at the limit the factor is 1": "clip_relative: size > longest with GtE",
    "at r = 0 the loss and its slope are 0": "expectile_loss: r > 0 with GtE",
    "where Huber's pieces meet they are equal": r"my_huber: .*<= delta with Lt$",
    "where half of the weight is reached exactly, all between costs the same": r"(best_constant|loaves): .*with Gt$",
    "the first is found all the same": "loaves: 1 plus 1",
    "F1 does not tell the answer from the truth, and a label of one yes has no right one": (
        "averages: ([01] plus 1|answer and y exchanged)$"
    ),
    "a curvature of 0 needs an infinite gamma, and that is sorted to the end": "level: h > 0 with GtE",
    "a promise met to the last bit is no trial": r"trusted_step: .*with Lt$",
    "60 tries are more than any trial needs": "trusted_step: 60 plus 1",
}


@pytest.mark.parametrize("name", ALL)
def test_a_solution_with_one_thing_changed_is_refused(name, record_property, monkeypatch):
    monkeypatch.setattr(engine, "LIMIT", 0.3)
    exercise = ALL[name]
    equivalent = re.compile("|".join(EQUIVALENT.values())).match
    [tree] = ast.parse(exercise.source).body
    mutants = [m for m in one_edit(tree) if not equivalent(f"{exercise.name}: {m[0]}")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = [told for told, mutant in mutants if _judged(exercise, _run(exercise, mutant)) == "right"]
    record_property("automatic", (len(mutants) - len(kept), len(mutants)))
    assert not kept


def test_a_loop_without_an_end_is_told(monkeypatch):
    monkeypatch.setattr(engine, "LIMIT", 0.3)
    natural = """def first_division(beta2):
    rho, t = 2 / (1 - beta2) - 1, 1
    while rho - 2 * t * beta2**t / (1 - beta2**t) <= 5:
        t += 1
    return t"""
    verdict = judge(_named("first_division"), _run(_named("first_division"), natural))
    assert verdict.state == "not right yet" and "still running" in verdict.message
