"""`make seeds`: what it runs, what it measures, and that a verdict which fails for one seed is named."""

import re

import pytest

from tools import build, seeds

LESSON = """# ---
# jupyter:
#   lesson: {title: Mini, question: "Why?", minutes: 1, needs: [], settles: []}
# ---

# %% [markdown] name="title"
# # Mini

# %% name="parameters" tags=["parameters"]
seed = 0

# %% [markdown] name="derivation"
# ## Derivation

# %% name="race"
ours, theirs = 2.0 - 0.25 * seed, 1.0
verdicts = {"faster": ours > theirs}
assert all(verdicts.values()) and abs(ours) < 8

# %% name="last"
CELL
"""


@pytest.fixture
def mini(tmp_path, monkeypatch):
    source = tmp_path / "lessons" / "mini" / "lesson.py"
    source.parent.mkdir(parents=True)
    monkeypatch.setattr(build, "ROOT", tmp_path)

    def write(cell):
        source.write_text(LESSON.replace("CELL", cell), encoding="utf-8")
        return source

    return write


def test_the_room_of_each_assert_is_measured(mini):
    run = seeds.play(mini("seed"), 2)
    assert not run.failed and list(run.seconds) == ["parameters", "race", "last"]
    assert run.rooms == {
        ("race", "ours > theirs"): pytest.approx(1 / 3),
        ("race", "abs(ours) < 8"): pytest.approx(0.8125),
    }


def test_cells_know_their_section(mini):
    assert [(s, name) for s, name, _ in seeds.code_cells(mini("1"))] == [
        ("", "parameters"),
        ("Derivation", "race"),
        ("Derivation", "last"),
    ]


@pytest.mark.parametrize(
    ("cell", "seed", "says"),
    [
        ("1", 4, "race: AssertionError"),
        ("import sys; sys.exit(0)", 0, "last: SystemExit"),
        ("from lessons_lib import exercises; exercises.of('00_start_here')('warm_up')", 0, "last: .*open"),
    ],
)
def test_a_lesson_that_fails_is_named_with_its_cell(mini, capsys, cell, seed, says):
    run = seeds.play(mini(cell), seed)
    assert run.failed
    seeds.summary([run], 3)
    said = capsys.readouterr().out
    assert "0 passed, 1 failed" in said and re.search(f"mini, seed {seed}, {says}", said)


@pytest.mark.parametrize(
    ("a", "b", "room"), [(1, 1, 0), (1, 2, 0.5), ([1, 3], 2, 1 / 3), (0, 5, 1), ("a", 1, float("inf"))]
)
def test_room(a, b, room):
    assert seeds.room(a, b) == pytest.approx(room)
