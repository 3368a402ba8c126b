"""Mistakes as edits of the one solution: what an edit does, and that one that does not fit is refused by name."""

import re

import pytest

from lessons_lib import exercises
from lessons_lib.exercises import Exercise, judge, on, room
from lessons_lib.exercises.edits import edited

SOURCE = """def step(x, g, lr,
         w):
    # the mean
    x_g = w * x + (1 - w) * g
    return x - lr * (
        x_g / 2
    ), w"""


@pytest.mark.parametrize(
    ("edits", "wanted"),
    [
        ("", (1 - 4.0, 0.5)),
        ("x - lr -> x + lr", (1 + 4.0, 0.5)),
        ("x_g / 2 -> x_g; w * x -> x", (1 - 8 * 1.5, 0.5)),
        ("lr * ( x_g / 2 ) -> lr", (1 - 8.0, 0.5)),
        ("), w -> ), 1 - 2 * w", (-3.0, 0.0)),
        ("x <-> lr", (8 - 1 * (0.5 * 8 + 0.5) / 2, 0.5)),
        ("g -> 3", (1 - 8.0, 0.5)),
        ("/ 2 ->; w * x + ->", (1 - 8 * 0.5, 0.5)),
    ],
)
def test_an_edit_changes_whole_words_of_the_body(edits, wanted):
    assert edited(SOURCE, edits, {})(1.0, 1.0, 8.0, 0.5) == wanted


def test_a_variable_is_edited_too_and_uses_the_rooms_names():
    assert edited("best = (\n    largest([3, n])\n)", "3 -> 5", {"largest": max, "n": 4}) == 5


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ("h -> g", "h -> g' changes nothing in the solution; its body is:"),
        ("lr -> lr", "lr -> lr' changes nothing"),
        ("p <-> q", "p <-> q' changes nothing"),
        ("x - lr -> x + lr; x - lr -> x", "x - lr -> x' changes nothing"),
        ("no edit", "no edit' is no edit; allowed is 'old -> new' or 'name <-> name'"),
        ("/ 2 -> /", "makes a solution that is no Python"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_by_name_and_harms_no_learner(edits, says):
    lost = Exercise("step", "h", {"Lost.": edits}, on((1.0, 1.0, 8.0, 0.5)), 2, lesson="03/x", source=SOURCE)
    with pytest.raises(ValueError, match=re.escape("03/x, exercise step, mistake 'Lost.': '") + f".*{says}"):
        lost.wrong("Lost.")
    assert judge(lost, lambda *a: (0.0, 0.0)).state == "not right yet"
    assert judge(lost, lost.solution).state == "right"


def test_the_solution_is_read_from_between_the_markers():
    lesson = '''# %% [markdown] name="text"
# ### BEGIN SOLUTION is not code here

# %% name="exercise"
def f(x):
    """What it does."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% name="value"
best = (
    ### BEGIN SOLUTION
    f(3)
    ### END SOLUTION
)

# %% name="other"
def g(x):
    return %bad
'''
    found = room.solutions(lesson)
    assert found == {"f": 'def f(x):\n    """What it does."""\n    return 2 * x', "best": "best = (\n    f(3)\n)"}


@pytest.fixture
def lessons(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "LESSONS", tmp_path)
    for name, body in {"a": "x + 1", "b": "x * k"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "lesson.py").write_text(
            f"# %%\ndef f(x):\n    ### BEGIN SOLUTION\n    return {body}\n    ### END SOLUTION\n"
        )
        (tmp_path / name / "exercises.py").write_text(
            "from lessons_lib.exercises import Exercise, on\nk = 3\n"
            "EXERCISES = [Exercise('f', 'hint', {'minus': 'x -> -x'}, on((2.0,), (5.0,)))]\n"
        )
    return tmp_path


def test_two_lessons_may_use_one_name(lessons, monkeypatch):
    a, b = exercises.of("a"), exercises.of("b")
    monkeypatch.setitem(globals(), "f", lambda x: x + 1)
    assert a("f").state == "right" and b("f").state == "not right yet"
    monkeypatch.setitem(globals(), "f", lambda x: -3 * x)
    assert repr(b("f")) == "f: not right yet. minus"


def test_what_a_room_lacks_is_named(lessons):
    with pytest.raises(ValueError, match="lesson is 'c'; lessons with exercises are a, b"):
        exercises.of("c")
    file = lessons / "a" / "lesson.py"
    file.write_text(file.read_text().replace("def f", "def g"))
    with pytest.raises(ValueError, match=r"a: lesson.py has no solution of the exercise 'f'"):
        exercises.of("a")
