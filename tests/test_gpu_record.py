"""The GPU record: what is written, how lessons show it, and that it needs almost nothing installed."""

import json
import os
import subprocess
import sys

import pytest
import torch

from lessons_lib import parity
from tools import gpu_record
from tools.gpu_record import BARE, ROOT


@pytest.fixture(scope="module")
def record():
    """The same code on the CPU; the device name makes clear that it is no GPU's record."""
    return gpu_record.record("cpu", ["tests/test_laws.py"])


@pytest.fixture
def records(tmp_path, monkeypatch):
    monkeypatch.setattr(parity, "RECORDS", tmp_path)
    return tmp_path


def test_a_record_says_where_when_and_with_what(record):
    assert {"device", "driver", "cuda", "torch", "python", "date", "command", "library", "tests", "rows"} <= set(record)
    assert {r["name"] for r in record["rows"]} == set(parity.names()) and all(r["ok"] for r in record["rows"])
    assert record["tests"]["passed"] > 10 and record["tests"]["failure"] == record["tests"]["error"] == 0
    assert json.loads(json.dumps(record)) == record


def test_a_missing_record_is_said(records):
    assert "GPU record: none yet" in str(parity.table("SGD"))


def test_a_record_stands_beside_the_live_rows_until_the_source_changes(records, record):
    shown = {**record, "device": "TEST GPU", "cuda": "13.0"}
    (records / "a.json").write_text(json.dumps(shown))
    table = str(parity.table("SGD"))
    assert "TEST GPU" in table and table.count("GPU record ") >= 3 and "of this very source" in table
    for r in shown["rows"]:
        r["source"] = "another"
    (records / "a.json").write_text(json.dumps(shown))
    table = str(parity.table("SGD"))
    assert "STALE" in table and table.count("GPU record ") == 0


def test_the_newest_record_counts(records, record):
    for name, date in (("a", "2026-01-02 00:00 UTC"), ("b", "2026-01-01 00:00 UTC")):
        (records / f"{name}.json").write_text(json.dumps({**record, "device": name, "date": date}))
    assert parity.newest_record()["device"] == "a"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_nothing_is_written(tmp_path, capsys):
    assert gpu_record.main(["--out", str(tmp_path / "out")]) == 2
    assert "no CUDA device" in capsys.readouterr().out and not (tmp_path / "out").exists()


def test_only_torch_numpy_pytest_and_matplotlib_are_needed():
    """The parity rows with every other dependency hidden, array_api_compat replaced by the stand-in."""
    hidden = [
        "array_api_strict",
        "IPython",
        "ipykernel",
        "jupytext",
        "nbformat",
        "nbclient",
        "papermill",
        "platformdirs",
    ]
    hidden += ["sklearn", "scipy", "tqdm", "yaml", "nbval", "xdist"]
    code = f"""
import sys
sys.modules.update(dict.fromkeys({hidden}))
from tools import gpu_record
import array_api_compat, conftest
assert 'bare' in array_api_compat.__file__, array_api_compat.__file__
from lessons_lib import parity
rows = parity.rows()
assert all(r.ok for r in rows), [r for r in rows if not r.ok]
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *("tests/" + t for t in gpu_record.UNIT_TESTS)]))
"""
    env = {**os.environ, "PYTHONPATH": f"{BARE}{os.pathsep}{ROOT}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert run.returncode == 0 and " passed" in run.stdout, run.stdout[-3000:] + run.stderr[-3000:]


def test_every_recorded_row_on_disk_is_complete():
    for path in (ROOT / "results" / "gpu").glob("*.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        assert found["cuda"] and found["driver"] and all(r["ok"] for r in found["rows"]), path
