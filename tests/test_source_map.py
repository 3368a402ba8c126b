"""Every id of the source map is settled by a lesson that names it, or listed as still to come."""

import re

import jupytext
import yaml

from tools.build import ROOT, sources

MAP = yaml.safe_load((ROOT / "lessons" / "source_map.yml").read_text(encoding="utf-8"))
LESSONS = {path: jupytext.read(path) for path in sources()}
SETTLED = {i for nb in LESSONS.values() for i in nb.metadata["lesson"]["settles"]}


def test_the_map_is_whole():
    counts = {kind: sum(i.startswith(kind) for i in MAP["ids"]) for kind in "CFGE"}
    assert counts == {"C": 30, "F": 11, "G": 24, "E": 27} and all(MAP["ids"].values())


def test_every_id_is_settled_or_still_to_come_and_none_is_both():
    assert SETTLED | set(MAP["later"]) == set(MAP["ids"])
    assert SETTLED & set(MAP["later"]) == set()


def test_no_id_stands_in_a_lessons_text():
    """Ids are for authors and tests: a reader gets words. (The F1 score is a metric's name.)"""
    for path, nb in LESSONS.items():
        text = "\n".join(c.source for c in nb.cells).replace("F1 score", "")
        found = set(re.findall(r"\b[CFGE]\d+\b", text)) & set(MAP["ids"])
        assert not found, f"{path.parent.name} names {sorted(found)}"
