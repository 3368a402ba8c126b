"""The personal copy that `make lab` opens: up to date where nobody worked, and never written over where one did."""

import re
import subprocess
from itertools import product
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from tools import build, lab
from tools.lab import update

ADAM, SGD, START = "notebooks/03_x/04_adam.ipynb", "notebooks/03_x/03_sgd.ipynb", "notebooks/00_start_here.ipynb"
SOLVED = "solutions/03_x/04_adam.ipynb"
BESIDE = "notebooks/03_x/04_adam (new edition).ipynb"


def write(file: Path, *cells: str, output: str = "") -> None:
    """A notebook with these code cells; its first cell shows `output`."""
    outputs = [[nbformat.v4.new_output("stream", text=output)] if output else [], *([] for _ in cells)]
    made = [nbformat.v4.new_code_cell(c, id=f"c{i}", outputs=outputs[i]) for i, c in enumerate(cells)]
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made), file)


def cells(file: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(file, as_version=4).cells]


def solve(file: Path, answer: str) -> None:
    """What a learner does: edit a cell, run it, save it from JupyterLab, which completes the metadata."""
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[0].source = answer
    notebook.metadata["language_info"] = {"name": "python", "version": "3.13"}
    nbformat.write(notebook, file)


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    root = tmp_path / "course"
    for name in (ADAM, SGD, START, SOLVED):
        write(root / name, "...", f"check({name!r})")
    (root / "notebooks" / "picture.png").write_bytes(b"old picture")
    return root


def test_the_first_start_copies_everything_and_the_next_one_nothing(course):
    (course / "notebooks" / ".ipynb_checkpoints").mkdir()
    (course / "notebooks" / ".ipynb_checkpoints" / "x.ipynb").touch()
    (course / "notebooks" / "half.part").touch()  # of a build that is at work
    every = {ADAM, SGD, START, SOLVED, "notebooks/picture.png"}
    fresh, beside = update(course)
    assert set(fresh) == every and beside == []
    for name in every:
        assert (course / "work" / name).read_bytes() == (course / name).read_bytes()
    assert {p.relative_to(course / "work").as_posix() for p in (course / "work").rglob("*") if p.is_file()} == {
        *every,
        ".copied.json",
    }
    assert update(course) == ([], [])


def test_solve_two_exercises_and_take_an_update_of_one_of_these_lessons_and_of_another(course):
    update(course)
    solve(course / "work" / ADAM, "my adam")
    solve(course / "work" / START, "my start")
    write(course / ADAM, "...", "second edition")
    write(course / SGD, "...", "second edition")
    (course / "notebooks" / "picture.png").write_bytes(b"new picture")
    assert update(course) == ([SGD, "notebooks/picture.png"], [BESIDE])
    assert cells(course / "work" / ADAM)[0] == "my adam" and cells(course / "work" / START)[0] == "my start"
    assert cells(course / "work" / SGD) == cells(course / "work" / BESIDE) == ["...", "second edition"]
    assert (course / "work/notebooks/picture.png").read_bytes() == b"new picture"
    assert update(course) == ([], [])


def test_what_jupyter_changes_by_itself_is_no_work(course):
    update(course)
    solve(course / "work" / ADAM, "...")  # the text as it was; metadata completed
    notebook = nbformat.read(course / "work" / SGD, as_version=4)
    notebook.cells[0].update(outputs=[nbformat.v4.new_output("stream", text="ran")], execution_count=7)
    nbformat.write(notebook, course / "work" / SGD)
    assert update(course) == ([], [])
    assert "ran" in (course / "work" / SGD).read_text(encoding="utf-8")
    write(course / ADAM, "...", "second edition")
    write(course / SGD, *cells(course / SGD), output="a new picture")  # an edition that differs in its outputs alone
    assert update(course) == ([SGD, ADAM], [])
    assert "a new picture" in (course / "work" / SGD).read_text(encoding="utf-8")


def test_no_edition_writes_over_work_however_many_come(course):
    update(course)
    solve(course / "work" / ADAM, "mine")
    for i in (2, 3):
        write(course / ADAM, "...", f"edition {i}")
        assert update(course) == ([], [BESIDE])  # an untouched new edition gives way to the next one
        assert cells(course / "work" / BESIDE)[1] == f"edition {i}"
    solve(course / "work" / BESIDE, "mine again")
    write(course / ADAM, "...", "edition 4")
    assert update(course) == ([], [BESIDE.replace("edition)", "edition 2)")])
    assert [cells(course / "work" / name)[0] for name in (ADAM, BESIDE)] == ["mine", "mine again"]
    assert update(course) == ([], [])


def test_a_new_edition_that_was_deleted_stays_away_and_a_deleted_lesson_comes_fresh(course):
    update(course)
    solve(course / "work" / ADAM, "mine")
    write(course / ADAM, "...", "edition 2")
    update(course)
    (course / "work" / BESIDE).unlink()
    assert update(course) == ([], [])
    write(course / ADAM, "...", "edition 3")
    assert update(course) == ([], [BESIDE])
    (course / "work" / ADAM).rename(course / "work" / "notebooks" / "my old adam.ipynb")
    assert update(course) == ([ADAM], [])
    assert cells(course / "work" / ADAM) == ["...", "edition 3"] and not (course / "work" / BESIDE).exists()
    assert cells(course / "work" / "notebooks" / "my old adam.ipynb")[0] == "mine"


def test_a_lesson_that_left_the_course_goes_unless_somebody_worked_in_it(course):
    update(course)
    solve(course / "work" / ADAM, "mine")
    for name in (ADAM, SGD):
        (course / name).unlink()
    update(course)
    assert (course / "work" / ADAM).exists() and not (course / "work" / SGD).exists()


@pytest.mark.parametrize("record", ["", "[1]", '"x"', "gone"])
def test_without_its_record_nothing_is_lost(course, record):
    update(course)
    solve(course / "work" / ADAM, "mine")
    (course / "work" / ".copied.json").unlink()
    if record != "gone":
        (course / "work" / ".copied.json").write_text(record)
    fresh, beside = update(course)
    assert beside == [BESIDE] and ADAM not in fresh and cells(course / "work" / ADAM)[0] == "mine"
    assert update(course) == ([], [])


@pytest.mark.parametrize("broken", [b"", b"{ half", b'{"cells": 3}', b"\xff"])
def test_a_notebook_that_cannot_be_read_is_kept(course, broken):
    update(course)
    (course / "work" / ADAM).write_bytes(broken)
    write(course / ADAM, "...", "edition 2")
    assert update(course) == ([], [BESIDE]) and (course / "work" / ADAM).read_bytes() == broken


def test_an_interrupted_copy_leaves_no_half_file_and_the_next_start_goes_on(course, monkeypatch):
    update(course)
    write(course / SGD, "...", "edition 2")
    write(course / ADAM, "...", "edition 2")
    before = (course / "work" / ADAM).read_bytes()

    def stop(notary, notebook):
        if notebook.cells[1].source == "edition 2" and (course / "work" / SGD).read_bytes() != before:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(NotebookNotary, "sign", stop)
        update(course)
    assert cells(course / "work" / SGD)[1] != "edition 2" and (course / "work" / ADAM).read_bytes() == before
    assert update(course) == ([SGD, ADAM], [])
    assert not list((course / "work").rglob("*.part"))


def test_copies_are_trusted(course):
    write(course / ADAM, "...", output="a live picture")
    update(course)
    notary = NotebookNotary()
    assert notary.check_signature(nbformat.read(course / "work" / ADAM, as_version=4))
    solve(course / "work" / ADAM, "other outputs")
    assert not notary.check_signature(nbformat.read(course / "work" / ADAM, as_version=4))


def test_work_that_was_done_in_notebooks_before_there_was_a_copy_is_kept_too(course):
    def git(*args: str) -> None:
        subprocess.run(["git", *args], cwd=course, check=True)

    git("init", "-q")
    git("add", ".")
    solve(course / ADAM, "mine")
    update(course)
    assert update(course) == ([], [])
    git("checkout", "-q", "notebooks")  # to be able to pull
    assert update(course) == ([], [BESIDE]) and cells(course / "work" / ADAM)[0] == "mine"


@pytest.mark.parametrize("folder", lab.FOLDERS)
def test_relative_links_stay_among_what_is_copied(folder):
    """work/ has the folders of the course, so what resolves here (another test) resolves there."""
    for source in build.sources():
        text = "\n".join(c.source for c in build.edition(source, folder).cells if c.cell_type == "markdown")
        for link in re.findall(r"\]\(([^):\s]+\.\w+)\)", text):
            target = (build.target(source, folder).parent / link).resolve()
            assert target.relative_to(lab.ROOT).parts[0] in lab.FOLDERS, f"{source}: {link}"


def test_every_lesson_leads_to_its_solutions_and_they_lead_back():
    said = {"notebooks": "All solutions of this lesson", "solutions": "This lesson with open exercises"}
    for source, kind in product(build.sources(), lab.FOLDERS):
        text, here = build.edition(source, kind).cells[-1].source, build.target(source, kind)
        (there,) = re.findall(rf"^\[{said[kind]}\]\((.*?)\)$", text, re.M)
        other = "solutions" if kind == "notebooks" else "notebooks"
        assert (here.parent / there).resolve() == build.target(source, other)


def test_git_ignores_the_copy():
    assert "work/" in (lab.ROOT / ".gitignore").read_text(encoding="utf-8").split()
