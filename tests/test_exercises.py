"""The exercises: stubs count as open, solutions pass, every known mistake is named, whatever is handed over."""

import re
import signal
import threading
import time
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch

from lessons_lib import exercises
from lessons_lib.exercises import Exercise, Verdict, engine, judge, on
from lessons_lib.exercises.engine import check_in
from tools.build import ROOT, edition, name_of, sources

ALL = [pytest.param(e, id=f"{e.lesson}/{e.name}") for e in exercises.everywhere()]
DEMO = Exercise(
    "demo",
    "add them",
    {"minus": "a + b -> a - b"},
    on((np.ones(2), np.ones(2))),
    source="def demo(a, b):\n    return a + b",
)


def _exercise(name: str, hint: str, arguments: str, body: str, trial, returns: int = 1) -> Exercise:
    return Exercise(
        name, hint, {}, trial, returns, source=f"def {name}({arguments}):\n    return {body}", names={"np": np}
    )


class _Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def _raise(error):
    raise error


@pytest.mark.parametrize("exercise", ALL)
def test_mutants(exercise, record_property):
    assert judge(exercise, exercise.solution).state == "right"
    assert judge(exercise, exercise.solution).message == ""
    told = {text: judge(exercise, exercise.wrong(text)) for text in exercise.mistakes}
    named = [text for text, verdict in told.items() if verdict.state == "not right yet" and verdict.message == text]
    record_property("named", (len(named), len(told)))
    assert set(told) == set(named) and len(told) >= 3


@pytest.mark.parametrize("exercise", ALL)
def test_what_is_said_is_about_ten_mistakes_in_words_without_codes(exercise):
    assert len(exercise.mistakes) <= 12
    for said in (exercise.hint, *exercise.mistakes):
        assert not re.search(r"\b[CEFG]\d+\b", said) and said.strip() == said


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
        (lambda a, b: a + b + 1j, "There is an imaginary part in the result"),
        (lambda a, b: [2.0, None], "A number or an array is wanted, list came"),
        (lambda a, b: np.array([2.0, "2"], dtype=object), "A number or an array is wanted, ndarray came"),
        (lambda a, b: torch.ones(2, dtype=torch.bfloat16), "The numbers are not the right ones"),
        (lambda a, b: _raise(_Speechless()), "_Speechless: <exception str() failed>"),
        (lambda a, b: _raise(BaseException("base")), "Your code raised BaseException: base"),
        (lambda a, b: np.linalg.inv(np.zeros((2, 2))), "LinAlgError: Singular matrix (your line: (lambda a, b"),
        (lambda a, b: print(a + b), "Your function returns None: is a `return` missing?"),
        (7.0, "A function is wanted. Hint"),
        (lambda a, b: a - b, "minus"),
        (
            lambda a, b: a * 7,
            "The numbers are not the right ones. demo(a=[1, 1], b=[1, 1]): wanted [2, 2], came [7, 7]. Hint: add them",
        ),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong_and_nothing_raises(answer, says):
    with np.errstate(all="raise"):
        verdict = judge(DEMO, answer)
    assert verdict.state == "not right yet" and says in verdict.message


@pytest.mark.parametrize(("answer", "came"), [(1.0, 1), (np.float64(1), 1), ((1, 2, 3), 3), (np.ones(4), "one array")])
def test_too_few_or_too_many_results_are_counted(answer, came):
    pair = _exercise("pair", "two", "", "(1.0, 2.0)", on((), ()), returns=2)
    assert judge(pair, lambda: answer).message == f"2 results are wanted, {came} came. Hint: two"
    assert judge(pair, lambda: np.array([1.0, 2.0])).state == "right"


def test_one_array_where_two_are_wanted_is_not_counted_by_its_entries():
    both = _exercise("both", "two", "a", "a, a[::-1]", on((np.array([1.0, 2.0]),)), returns=2)
    says = "2 results are wanted, with a comma between them; one array came. Hint: two"
    assert judge(both, lambda a: a).message == says


@pytest.mark.parametrize(
    "body",
    ["while True: pass", "while True:\n  try: a / 0\n  except Exception: pass", "time.sleep(1.5)"],
)
def test_an_answer_without_an_end_is_stopped(body, monkeypatch):
    monkeypatch.setattr(engine, "LIMIT", 0.1)
    lines = "\n ".join(body.splitlines())
    scope = {"time": time}
    exec(f"def demo(a, b):\n {lines}", scope)
    verdict = judge(DEMO, scope["demo"])
    call = "It was called as demo(a=[1, 1], b=[1, 1])."
    message = f"After 0.1 seconds your code was still running: what must end its loop? {call} Hint: add them"
    assert verdict.message == message


def test_an_answer_that_breaks_what_the_check_needs_makes_nothing_raise(monkeypatch):
    monkeypatch.setattr(np, "isclose", np.isclose)  # to be put back

    def vandal(a, b):
        np.isclose = None
        return a + b

    verdict = judge(DEMO, vandal)
    assert verdict.state == "not right yet" and "restart the kernel" in verdict.message


def test_a_verdict_is_seen_by_its_sign_and_colour_and_read_as_text():
    for answer, sign in ((lambda a, b: a + b, "✔"), (lambda a, b: a - b, "✘"), (None, "○")):
        verdict = judge(DEMO, answer)
        assert sign in verdict._repr_html_() and repr(verdict) in verdict._repr_html_()
    assert repr(judge(DEMO, lambda a, b: a + b)) == "demo: right"
    assert "<b>" not in Verdict("open", "demo", "<b>")._repr_html_().split("</b>")[1]


def _cells(*cells, error=None):
    last = SimpleNamespace(
        success=error is None, error_before_exec=None, error_in_exec=error, info=SimpleNamespace(raw_cell=cells[-1])
    )
    shell = SimpleNamespace(last_execution_result=last)
    return {"demo": DEMO.solution, "In": ["", *cells, 'check("demo")'], "get_ipython": lambda: shell}


@pytest.mark.parametrize(
    ("namespace", "says"),
    [
        (_cells("def demo(a, b):\n    return a +"), "SyntaxError: invalid syntax (line 2)"),
        (_cells("def demo(a, b):\n    return a +", "1 + 1"), "SyntaxError: invalid syntax (line 2)"),
        (_cells("import nothing\ndef demo(a, b): return a", error=ImportError("nothing")), "ImportError: nothing"),
        (_cells("demo = 1 / 0", error=ZeroDivisionError("by 0")), "ZeroDivisionError: by 0"),
        (_cells("def demo(a, b):\n    return a +", "def demo(a, b): return a + b"), ""),
        (_cells("other = 1 / 0", error=ZeroDivisionError("by 0")), ""),
        ({"demo": DEMO.solution, "In": 3, "get_ipython": 4}, ""),
    ],
)
def test_after_an_error_in_the_cell_the_earlier_function_is_not_judged(namespace, says, monkeypatch):
    monkeypatch.setenv("LESSONS_PROGRESS", "off")
    verdict = check_in(namespace, {"demo": DEMO}, "demo")
    assert verdict.state == ("not right yet" if says else "right")
    assert verdict.message.endswith(says) and ("so no new `demo` is there" in verdict.message) == bool(says)


@pytest.mark.parametrize(("dtype", "off", "state"), [(np.float32, 3e-5, "right"), (float, 3e-5, "not right yet")])
def test_an_answer_in_float32_may_be_as_far_off_as_float32_is(dtype, off, state):
    root = _exercise("root", "square root", "a", "np.sqrt(a)", on((np.array([2.0, 3.0]),)))
    assert judge(root, lambda a: (np.sqrt(a) * (1 + off)).astype(dtype)).state == state
    assert judge(root, lambda a: (np.sqrt(a) * 1.001).astype(dtype)).state == "not right yet"


def test_an_answer_that_returns_nothing_only_here_and_there_is_an_attempt():
    both = _exercise("both", "every sign", "a", "abs(a)", on((1.0,), (-1.0,)))
    verdict = judge(both, lambda a: a if a > 0 else None)
    assert verdict.state == "not right yet"
    assert (
        verdict.message
        == "For some inputs your function returns nothing. It was called as both(a=-1). Hint: every sign"
    )


def test_an_answer_that_changes_its_arguments_or_its_results_does_not_spoil_the_next_one():
    a, buffer = np.ones(2), np.zeros(2)
    twice = _exercise("twice", "twice", "a", "2 * a", on((a,), (a,), (3 * a,)))

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


def test_the_kernel_can_be_interrupted_while_a_check_runs():
    def endless(a, b):
        signal.raise_signal(signal.SIGINT)
        while True:
            pass

    before = threading.enumerate()
    with pytest.raises(KeyboardInterrupt):
        judge(DEMO, endless)
    started = [thread for thread in threading.enumerate() if thread not in before]
    for thread in started:
        thread.join(30)  # it has been told to stop, and does so as soon as it is its turn
    assert not any(thread.is_alive() for thread in started)


def test_a_deleted_exercise_cell_is_explained():
    assert "warm_up" not in globals()
    check = exercises.of("00_start_here")
    assert check("warm_up").state == "open" and "notebooks/00_start_here.ipynb" in check("warm_up").message
    assert "There is no exercise of this name; known: warm_up" in check("warm").message


@pytest.mark.parametrize("source", sources(), ids=lambda p: p.parent.name)
def test_every_exercise_stands_in_its_lesson_with_its_check_right_under_it(source):
    lesson = name_of(source)
    mine = [p.values[0] for p in ALL if p.values[0].lesson == lesson]
    assert len(mine) >= 3 or source.parent.name == "00_start_here"
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
