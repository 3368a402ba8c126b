"""A learner's results: kept whatever happens, on this machine only, and nothing about them stops a lesson."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lessons_lib import exercises
from lessons_lib.exercises import Verdict, room
from lessons_lib.exercises import progress as kept
from lessons_lib.show import literal
from tools.build import CHECK, edition, sources

LESSON = """# ---
#     title: "A demo: sums"
# ---

# %%
def demo(a, b):
    ### BEGIN SOLUTION
    return a + b
    ### END SOLUTION
"""
ROOM = """from lessons_lib.exercises import Exercise, on
EXERCISES = [Exercise("demo", "add them", {}, on((1.0, 2.0)))]
"""
LESSONS = "03_x/01_demo", "03_x/02_other"
KEY = "03_x/01_demo/demo"


def right(a, b):
    return a + b


def check(name: str, **options) -> Verdict:
    return exercises.of("03_x/01_demo")(name, **options)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """The folder of the results; there are two lessons with an exercise `demo`, and this module's `demo` is right."""
    monkeypatch.setenv("LESSONS_PROGRESS", str(tmp_path / "sub" / "progress.json"))
    monkeypatch.setattr(room, "LESSONS", tmp_path / "lessons")
    monkeypatch.setattr(kept, "LESSONS", tmp_path / "lessons")
    for name in LESSONS:
        (tmp_path / "lessons" / name).mkdir(parents=True)
        (tmp_path / "lessons" / name / "lesson.py").write_text(LESSON)
        (tmp_path / "lessons" / name / "exercises.py").write_text(ROOM)
    monkeypatch.setitem(globals(), "demo", right)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "sub" / "progress"


def test_progress_is_kept_and_what_is_right_stays_right(monkeypatch):
    for answer, state in [
        (None, None),
        (lambda a, b: a, "not right yet"),
        (right, "right"),
        (lambda a, b: a, "right"),
    ]:
        monkeypatch.setitem(globals(), "demo", answer)
        check("demo")
        assert kept.progress().get(KEY) == state


@pytest.mark.parametrize("folder", ["solutions", "a/solutions/b"])
def test_a_course_below_any_folder_records(folder, tmp_path, monkeypatch):
    (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / folder)
    check("demo")
    assert kept.progress() == {KEY: "right"}


def test_the_solved_edition_and_test_runs_leave_progress_alone(place, monkeypatch):
    assert check("demo", record=False).state == "right"
    monkeypatch.setenv("LESSONS_PROGRESS", "off")
    check("demo")
    assert kept.progress() == {} and not place.exists()


def test_every_check_of_the_solved_edition_says_that_it_is_nobodys_own():
    start, *_ = lessons = sources()
    code = [cell.source for cell in edition(start, "solutions").cells]
    assert 'check("warm_up", record=False)' in code and 'check("warm_up")' not in code
    assert not [s.parent.name for s in lessons if 'check("' in CHECK.sub("", s.read_text(encoding="utf-8"))], (
        "not recognised"
    )


@pytest.mark.parametrize(
    "text",
    ["null", "[1, 2]", "{ broken", "", "[" * 9999, '"demo"', "7", b"\xff\xfe\x00", '{"demo": ["right"], "x": null}'],
)
def test_whatever_an_earlier_file_holds_a_check_goes_on_and_is_kept(text, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "progress.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert kept.progress() == {}
    assert check("demo").state == "right"
    assert kept.progress() == {KEY: "right"}


def test_the_results_of_an_earlier_edition_count(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "progress.json").write_text('{"demo": "right", "auc": "not right yet", "x": "perfect"}')
    monkeypatch.setitem(globals(), "demo", lambda a, b: a)
    check("demo")
    assert kept.progress() == {"demo": "right", "auc": "not right yet", KEY: "not right yet"}
    assert "all lessons | 2 of 2" in exercises.progress_table().markdown


@pytest.mark.parametrize("where", ["below-a-file", "read-only"])
def test_a_place_that_cannot_be_written_is_named_and_stops_nothing(where, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LESSONS_PROGRESS", str(tmp_path / "file" / "progress"))
    if where == "read-only":  # for a superuser as well
        monkeypatch.setattr(Path, "touch", lambda file: os.open(tmp_path, os.O_WRONLY))
        monkeypatch.setenv("LESSONS_PROGRESS", str(tmp_path / "progress"))
    assert check("demo").state == "right"
    assert "progress is not kept" in capsys.readouterr().err
    assert kept.progress() == {}


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a folder that is in use")
def test_a_deleted_working_directory_stops_nothing(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert check("demo").state == "right"
    assert kept.progress() == {KEY: "right"} and "1 of 1" in str(exercises.progress_table())


def test_two_kernels_at_once_lose_nothing():
    def kernel(name: str) -> None:
        for i in range(300):
            kept.remember("x", Verdict("right", f"{name}_{i}"))
            kept.remember("x", Verdict("right" if name == "one" else "not right yet", f"both_{i}"))

    with ThreadPoolExecutor(2) as kernels:
        assert list(kernels.map(kernel, ["one", "other"])) == [None, None]
    assert kept.progress() == {f"x/{name}_{i}": "right" for name in ("one", "other", "both") for i in range(300)}


def test_the_results_kept_without_a_lesson_count(place):
    place.mkdir(parents=True)
    (place / "demo.right").touch()
    assert "all lessons | 2 of 2" in exercises.progress_table().markdown


def test_the_table_links_titles_adds_up_and_names_newer_editions(tmp_path):
    check("demo")
    kept.remember("03_x/02_other", Verdict("not right yet", "demo"))
    text, title = exercises.progress_table().markdown, "[A demo: sums]"
    assert f"| {title}(03_x/01_demo.ipynb) | 1 of 1 |" in text
    assert f"| {title}(03_x/02_other.ipynb) | 0 of 1 | {literal('demo')} (not right yet)" in text
    assert "| all lessons | 1 of 2 |" in text and "newer edition" not in text
    (tmp_path / "03_x").mkdir()
    (tmp_path / "03_x/01_demo (new edition).ipynb").touch()
    link = f"{title}(03_x/01_demo%20%28new%20edition%29.ipynb)"
    assert exercises.progress_table().markdown.endswith(f"a newer edition lies beside your copy: {link}.")


def test_no_two_exercises_of_a_lesson_share_a_file_where_case_does_not_count(monkeypatch):
    monkeypatch.undo()
    keys = [f"{e.lesson}/{e.name}".lower() for e in exercises.everywhere()]
    assert len(set(keys)) == len(keys) > 50
