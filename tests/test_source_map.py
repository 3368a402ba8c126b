"""Every id of the source map is settled by a lesson; claims have verdicts and evidence."""

import re

import jupytext
import nbformat
import pytest
import yaml

from tools.build import ROOT, name_of, sources, target

MAP = yaml.safe_load((ROOT / "lessons" / "source_map.yml").read_text(encoding="utf-8"))
LESSONS = {path: jupytext.read(path) for path in sources()}
HEADERS = {path: nb.metadata["lesson"] for path, nb in LESSONS.items()}
CLAIMS = {path: lesson["claims"] for path, lesson in HEADERS.items() if "claims" in lesson}
SETTLED = {i for lesson in HEADERS.values() for i in (*lesson["settles"], *lesson.get("claims", {}))}


def test_the_map_is_whole():
    counts = {kind: sum(i.startswith(kind) for i in MAP["ids"]) for kind in "CFGE"}
    assert counts == {"C": 30, "F": 11, "G": 24, "E": 27} and all(MAP["ids"].values())
    assert [i for claims in MAP["claims"].values() for i in claims] == [i for i in MAP["ids"] if i[0] == "C"]


def test_every_id_is_settled():
    assert set(MAP["ids"]) == SETTLED


def test_claims_have_verdicts_and_other_ids_have_none():
    assert {i[0] for claims in CLAIMS.values() for i in claims} == {"C"}
    assert "C" not in {i[0] for lesson in HEADERS.values() for i in lesson["settles"]}


@pytest.mark.parametrize("path", CLAIMS, ids=name_of)
def test_what_decides_a_claim_has_an_output_and_its_finding_is_words(path):
    cells = {c.metadata["name"]: c for c in nbformat.read(target(path, "notebooks"), as_version=4).cells}
    for claim, said in CLAIMS[path].items():
        assert cells[said["cell"]].outputs, f"{claim}: the cell {said['cell']!r} of {path.parent.name} shows nothing"
        assert 5 <= len(said["says"].split()) <= 60 and said["says"].endswith(".") and "|" not in said["says"]


def test_no_id_stands_in_a_lessons_text():
    """Ids are for authors and tests: a reader gets words. (F1 is a metric as well, "C1" a colour of matplotlib.)"""
    for path, nb in LESSONS.items():
        text = re.sub(r'\bF1\b|"C\d[^"\w]*"', "", "\n".join(c.source for c in nb.cells))
        found = set(re.findall(r"\b[CFGE]\d+\b", text)) & set(MAP["ids"])
        assert not found, f"{path.parent.name} names {sorted(found)}"
