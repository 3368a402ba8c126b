"""The checks of the exercises: stubs count as open, solutions pass, every known mistake is named."""

import nbformat
import numpy as np
import pytest
import torch

from lessons_lib.checks import EXERCISES, Exercise, check, judge
from lessons_lib.checks.engine import on
from tools.build import ROOT, edition, sources

ALL = [pytest.param(e, id=e.name) for e in EXERCISES.values()]
DEMO = Exercise(
    "demo", "x", "add them", lambda a, b: a + b, {"minus": lambda a, b: a - b}, lambda f: f(np.ones(2), np.ones(2))
)


@pytest.mark.parametrize("exercise", ALL)
def test_mutants(exercise, record_property):
    assert judge(exercise, exercise.solution).state == "right"
    assert judge(exercise, exercise.solution).message == ""
    told = {text: judge(exercise, wrong) for text, wrong in exercise.mistakes.items()}
    named = [text for text, verdict in told.items() if verdict.state == "not right yet" and verdict.message == text]
    record_property("mutants", (len(named), len(told)))
    assert set(told) == set(named) and len(told) >= 3


@pytest.mark.parametrize("exercise", ALL)
def test_a_stub_is_open_and_nonsense_is_not_right(exercise):
    for stub in (None, ..., lambda *a, **k: None, lambda *a, **k: ...):
        verdict = judge(exercise, stub)
        plain_value_wanted = callable(stub) and not callable(exercise.solution)
        assert verdict.state == ("not right yet" if plain_value_wanted else "open")
        assert exercise.hint in verdict.message
    for nonsense in ("text", lambda *a, **k: "text", lambda *a, **k: 1 / 0, lambda: 1, [1, [2, 3]], np.full(3, np.nan)):
        assert judge(exercise, nonsense).state == "not right yet"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda a, b: 1 / 0, "Your code raised ZeroDivisionError: division by zero"),
        (lambda a: a, "TypeError"),
        (lambda a, b: exit(), "SystemExit"),
        (lambda a, b: np.ones(3), r"The shape (2,) is wanted, (3,) came"),
        (lambda a, b: (a, b), "The shape (2,) is wanted"),
        (lambda a, b: a * np.nan, "There is a NaN"),
        (lambda a, b: torch.ones(2, requires_grad=True), "The numbers are not the right ones"),
        (lambda a, b: {}, "A number or an array is wanted, dict came"),
        (lambda a, b: a - b, "minus"),
        (lambda a, b: a * 7, "The numbers are not the right ones. Hint: add them"),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong_and_nothing_raises(answer, says):
    verdict = judge(DEMO, answer)
    assert verdict.state == "not right yet" and says in verdict.message


@pytest.mark.parametrize(("answer", "came"), [(1.0, 1), (np.float64(1), 1), ((1, 2, 3), 3), (np.ones(4), "one array")])
def test_too_few_or_too_many_results_are_counted(answer, came):
    pair = Exercise("pair", "x", "two", lambda: (1.0, 2.0), {}, on((), ()), returns=2)
    assert judge(pair, lambda: answer).message == f"2 results are wanted, {came} came. Hint: two"
    assert judge(pair, lambda: np.array([1.0, 2.0])).state == "right"


@pytest.mark.parametrize(("dtype", "off", "state"), [(np.float32, 3e-5, "right"), (float, 3e-5, "not right yet")])
def test_an_answer_in_float32_may_be_as_far_off_as_float32_is(dtype, off, state):
    root = Exercise("root", "x", "square root", np.sqrt, {}, on((np.array([2.0, 3.0]),)))
    assert judge(root, lambda a: (np.sqrt(a) * (1 + off)).astype(dtype)).state == state
    assert judge(root, lambda a: (np.sqrt(a) * 1.001).astype(dtype)).state == "not right yet"


def test_an_answer_that_returns_nothing_only_here_and_there_is_an_attempt():
    both = Exercise("both", "x", "every sign", abs, {}, on((1.0,), (-1.0,)))
    verdict = judge(both, lambda a: a if a > 0 else None)
    assert verdict.state == "not right yet"
    assert verdict.message == "For some inputs your function returns nothing. Hint: every sign"


def test_an_answer_that_changes_its_arguments_or_its_results_does_not_spoil_the_next_one():
    a, buffer = np.ones(2), np.zeros(2)
    twice = Exercise("twice", "x", "twice", lambda a: 2 * a, {}, on((a,), (a,), (3 * a,)))

    def in_place(b):
        b *= 2
        buffer[:] = b
        return buffer

    assert judge(twice, in_place).state == "right" and a.sum() == 2


def test_keyboard_interrupt_is_the_learners_own():
    def endless(a, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(DEMO, endless)


def test_a_deleted_exercise_cell_is_explained():
    assert "bce_value" not in globals()
    verdict = check("bce_value")
    assert verdict.state == "open" and "notebooks/03_algorithms/01_binary_cross_entropy.ipynb" in verdict.message
    assert "There is no exercise of this name" in check("bce_valu").message


@pytest.mark.parametrize("source", sources(), ids=lambda p: p.stem)
def test_every_exercise_stands_in_its_lesson_with_its_check_right_under_it(source):
    lesson = source.relative_to(ROOT / "lessons").with_suffix("").as_posix()
    mine = [e for e in EXERCISES.values() if e.lesson == lesson]
    assert len(mine) >= 3 or source.stem == "00_start_here"
    code = [c.source for c in edition(source, "notebooks").cells if c.cell_type == "code"]
    for e in mine:
        at = code.index(f'check("{e.name}")')
        assert "..." in code[at - 1] and e.name in code[at - 1]
    for kind, state in (("notebooks", "open"), ("solutions", "right")):
        stored = nbformat.read(ROOT / kind / f"{lesson}.ipynb", as_version=4)
        told = [
            o.data["text/plain"]
            for c in stored.cells
            if c.cell_type == "code"
            for o in c.outputs
            if c.source.startswith("check(") and "data" in o
        ]
        assert len(told) >= len(mine) and all(t.split(": ")[1].startswith(state) for t in told)
