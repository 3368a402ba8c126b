"""Stored outputs: what the comparison with them sees, and that both editions store the same."""

import os
import subprocess
import sys

import nbformat
import pytest

from conftest import PICTURE, Near
from tools.build import ROOT, sources, target

EQUAL = [
    ("loss 0.1239", "loss 0.1240"),
    ("0.15 at step 300", "0.16 at step 300"),  # within two units of the last digit shown
    ("1234.5678", "1235.9"),  # within 2 in 1000
    ("-4.1e-08", "-4.2e-08"),
    ("4e-16", "5e-16"),
    ("-0.00", "0.00"),
    ("nan", "nan"),
]
DIFFERENT = [
    ("-4.1e-08", "9.9e-04"),
    ("4.1e-08", "-4.1e-08"),
    ("0.0005", "-0.0005"),
    ("0.0005", "0.0009"),
    ("2.38e-07", "1.19e-07"),
    ("1e-08", "1e-07"),
    ("0.12", "0.15"),
    ("10 of 11", "11 of 11"),
    ("1.0", "nan"),
    ("nan", "inf"),
    ("0.5: yes", "0.5: no"),
    ("0.5, 0.5", "0.5"),
]


@pytest.mark.parametrize(("stored", "found"), EQUAL)
def test_the_last_digits_may_differ(stored, found):
    assert Near(stored) == Near(found)


@pytest.mark.parametrize(("stored", "found"), DIFFERENT)
def test_anything_more_is_a_difference(stored, found):
    assert Near(stored) != Near(found)


def test_a_picture_in_html_is_no_text_and_what_it_says_is():
    html = '<img alt="a bowl" src="data:image/png;base64,%s"><figure data-says="%s" data-frames="%s"></figure>'
    stored = PICTURE.sub("", html % ("AA", "0.5 m", "BB"))
    assert stored == PICTURE.sub("", html % ("CC", "0.5 m", "DD"))
    assert stored != PICTURE.sub("", html % ("AA", "0.9 m", "BB"))


def test_nbval_compares_so(tmp_path):
    cells = [nbformat.v4.new_code_cell(f"print({found!r})") for found in ("-4.2e-08", "9.9e-04")]
    for n, cell in enumerate(cells, 1):
        cell.execution_count, cell.outputs = n, [nbformat.v4.new_output("stream", name="stdout", text="-4.1e-08\n")]
    cells.append(
        nbformat.v4.new_code_cell("display({'text/html': '<img src=\"data:image/png;base64,AA\">'}, raw=True)")
    )
    image = {"text/html": '<img src="data:image/png;base64,BB">'}
    cells[-1].execution_count, cells[-1].outputs = 3, [nbformat.v4.new_output("display_data", image)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "stored.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "conftest",
        "--nbval",
        "--nbval-current-env",
        "-q",
        "-rfE",
        tmp_path,
    ]
    run = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert "1 failed, 2 passed" in run.stdout and "Cell 1" in run.stdout.rpartition("short test summary")[2], run.stdout


@pytest.mark.parametrize("source", sources(), ids=lambda s: s.parent.name)
def test_cells_that_both_editions_share_store_the_same(source):
    """So one of the two editions has to be executed by nbval, and not both."""
    learner, solved = (nbformat.read(target(source, kind), as_version=4).cells for kind in ("notebooks", "solutions"))
    shared = [
        (a, b)
        for a, b in zip(learner, solved, strict=True)
        if a.cell_type == "code" and a.source == b.source and not a.source.startswith("check(")
    ]
    assert shared
    for a, b in shared:
        if "nbval-ignore-output" not in a.metadata.get("tags", []):
            assert [dict(o) for o in a.outputs] == [dict(o) for o in b.outputs], a.metadata.get("name", a.source[:60])
