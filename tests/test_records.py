"""Recorded runs: every stored one is of the code that stands here; what is stale, missing or not a number is said."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lessons_lib import provenance, records
from tools import build
from tools import record as tool
from tools.build import ROOT, name_of, sources

RECORDED = [name_of(source) for source in sources() if (source.parent / "record.py").exists()]
ROOM = """from lessons_lib.losses import huber
import numpy as np

SEEDS = range(2)

def run(seed):
    return {"value": float(huber(np.array(1.0 + seed), np.array(0.0)).value), "list": [1, seed]}
"""


@pytest.mark.parametrize("lesson", RECORDED)
def test_a_stored_record_is_whole_and_of_this_code(lesson):
    record = records.of(lesson)
    assert record.fresh, f"run: make record ARGS=lessons/{lesson}"
    assert sorted(record.runs) == sorted(records.load(lesson)["SEEDS"])


def test_no_record_is_left_of_a_room_that_has_none():
    there = {path.relative_to(records.FOLDER).with_suffix("").as_posix() for path in records.FOLDER.rglob("*.json")}
    assert there == set(RECORDED)


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "ROOT", tmp_path)
    monkeypatch.setattr(records, "FOLDER", tmp_path / "results" / "runs")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "ProcessPoolExecutor", lambda jobs, *_: ThreadPoolExecutor(jobs))
    folder = tmp_path / "lessons" / "part" / "room"
    folder.mkdir(parents=True)
    (folder / "lesson.py").write_text((ROOT / "lessons" / "00_start_here" / "lesson.py").read_text("utf-8"))
    (folder / "record.py").write_text(ROOM)
    return folder


def test_a_record_is_written_read_and_fresh_until_the_code_changes(room):
    assert tool.main([str(room), "--jobs", "1"]) == 0
    record = records.of("part/room")
    assert record.runs == {0: {"value": 0.5, "list": [1, 0]}, 1: {"value": 1.5, "list": [1, 1]}}
    assert "2 seeds" in str(record) and "make record ARGS=lessons/part/room" in str(record) and record.fresh
    (room / "record.py").write_text(ROOM + "# a comment\n")
    assert records.of("part/room").fresh
    (room / "record.py").write_text(ROOM.replace("1.0 +", "2.0 +"))
    assert "STALE" in str(records.of("part/room")) and not records.of("part/room").fresh


def test_the_librarys_code_is_part_of_it(room, monkeypatch):
    names, source = records.load("part/room"), provenance.source
    before = records.source_hash(names)
    monkeypatch.setattr(provenance, "source", lambda part: source(part).replace("pred - target", "target - pred"))
    assert records.source_hash(names) != before


def test_a_failed_seed_is_named_and_the_old_record_stays(room, capsys):
    tool.main([str(room)])
    old = (records.FOLDER / "part" / "room.json").read_text()
    (room / "record.py").write_text(ROOM.replace('"list": [1, seed]', '"list": [1, float("nan") if seed else 0]'))
    assert tool.main([str(room)]) == 1
    said = capsys.readouterr().out
    assert "FAILED part/room, seed 1: ValueError" in said and "list is [1, nan]" in said
    assert (records.FOLDER / "part" / "room.json").read_text() == old


@pytest.mark.skipif(os.name == "nt", reason="its Ctrl-C goes to the console")
def test_an_interrupt_is_told_in_a_line_and_the_old_record_stays(room):
    """In a process of its own, which runs the tool with the room's folders; a file says that the first run began."""
    begun, path = room / "begun", records.FOLDER / "part" / "room.json"
    path.parent.mkdir(parents=True)
    path.write_text("old")
    slow = f"pathlib.Path({str(begun)!r}).touch(); time.sleep(300)"
    (room / "record.py").write_text(f"import pathlib, time\nSEEDS = range(4)\ndef run(seed): {slow}\n")
    start = f"""
from pathlib import Path
from lessons_lib import records
records.ROOT, records.FOLDER = Path({str(records.ROOT)!r}), Path({str(records.FOLDER)!r})
from tools import _command, build, record
build.ROOT = records.ROOT
if __name__ == "__main__":
    _command.start()
    raise SystemExit(record.main([{str(room)!r}]))
"""
    script = room / "start.py"
    script.write_text(start)
    process = subprocess.Popen(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not begun.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130 and said.strip() == "interrupted; nothing is written"
    assert path.read_text() == "old"


def test_what_has_no_record_is_said(room, capsys):
    with pytest.raises(ValueError, match="lesson is 'part/other'; records are there of none"):
        records.of("part/other")
    (room / "record.py").unlink()
    assert tool.main([]) == 0 and "no room has a record.py" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        tool.main([str(room)])
    assert "needs a record.py" in capsys.readouterr().err
