"""The GPU record: what is written, how lessons show it, and that it needs almost nothing installed."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from zipfile import ZipFile

import pytest
import torch

from lessons_lib import parity, provenance
from tools import gpu_record
from tools.gpu_record import ROOT


@pytest.fixture(scope="module")
def record():
    """The same code on the CPU; the device name makes clear that it is no GPU's record."""
    return gpu_record.record("cpu", ["tests/test_laws.py"], "SGD")


@pytest.fixture
def records(tmp_path, monkeypatch):
    monkeypatch.setattr(parity.record, "RECORDS", tmp_path)
    return tmp_path


def test_a_record_says_where_when_and_with_what(record):
    assert {"device", "driver", "cuda", "torch", "python", "date", "command", "library", "tests", "rows"} <= set(record)
    assert {r["name"] for r in record["rows"]} == {"SGD"} and all(r["ok"] for r in record["rows"])
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


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("\n", "  # a comment\n", set()),
        ("\n", "\n\n", set()),
        ("r = pred - target", "r = target - pred", {"huber", "absolute_error"}),
        ("class SGD", "class Descent", {"SGD"}),
    ],
)
def test_a_hash_covers_code_alone_and_only_the_functions_in_use(monkeypatch, old, new, touched):
    names, fresh, source = ("huber", "absolute_error", "SGD"), parity.source_hash.__wrapped__, provenance.source
    before = {name: fresh(name) for name in names}
    monkeypatch.setattr(provenance, "source", lambda part: source(part).replace(old, new))
    assert {name for name in names if fresh(name) != before[name]} == touched


def test_the_newest_record_counts(records, record):
    for name, date in (("a", "2026-01-02 00:00 UTC"), ("b", "2026-01-01 00:00 UTC")):
        (records / f"{name}.json").write_text(json.dumps({**record, "device": name, "date": date}))
    assert parity.newest_record()["device"] == "a"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_nothing_is_written(tmp_path, capsys):
    assert gpu_record.main(["--out", str(tmp_path / "out")]) == 2
    assert "no CUDA device" in capsys.readouterr().out and not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_only_torch_numpy_and_pytest_are_needed(tmp_path):
    """With no other package, array_api_compat in its wheel: parity is measured, and the unit tests are found."""
    with ZipFile(tmp_path / "array_api_compat-1-py3-none-any.whl", "w") as wheel:
        for file in distribution("array_api_compat").files:
            if file.suffix != ".pyc":
                wheel.write(file.locate(), file)
    packages = tmp_path / "packages"
    packages.mkdir()
    wanted, done = ["torch", "numpy", "pytest"], set()
    while wanted:  # these three, and what they require
        name = wanted.pop()
        if name in done:
            continue
        done.add(name)
        for top in {file.parts[0] for file in distribution(name).files} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(distribution(name).locate_file(top))
        needs = [r for r in distribution(name).requires or [] if "extra ==" not in r]
        wanted += [n for n in (re.match(r"[\w.-]+", r)[0] for r in needs) if find_distribution(n)]
    code = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(packages)!r}]
from pathlib import Path
from tools import gpu_record
gpu_record.WHEELS = Path({str(tmp_path)!r})
gpu_record.need_array_api_compat()
import array_api_compat, conftest
assert ".whl" in array_api_compat.__file__, array_api_compat.__file__
from lessons_lib import parity
assert all(r.ok for name in ("huber", "SGD") for r in parity.rows(name))
import pytest
tests = ["tests/" + name for name in gpu_record.UNIT_TESTS]
sys.exit(pytest.main(["-q", "--collect-only", "-p", "no:cacheprovider", *tests]))
"""
    run = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0 and " tests collected" in run.stdout, run.stdout[-3000:] + run.stderr[-3000:]


def find_distribution(name):
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def test_without_array_api_compat_the_record_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_record, "WHEELS", tmp_path)
    monkeypatch.setattr(gpu_record.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="make wheels"):
        gpu_record.need_array_api_compat()


def test_every_recorded_row_on_disk_is_complete():
    for path in (ROOT / "results" / "gpu").glob("*.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        assert found["cuda"] and found["driver"] and all(r["ok"] for r in found["rows"]), path
