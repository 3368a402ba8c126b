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


def test_a_settled_id_is_named_in_the_lesson():
    for path, nb in LESSONS.items():
        text = "\n".join(c.source for c in nb.cells)
        for i in nb.metadata["lesson"]["settles"]:
            spans = [
                range(int(a), int(b) + 1)
                for kind, a, b in re.findall(r"\b([CFGE])(\d+)(?: to |-)[CFGE]?(\d+)", text)
                if kind == i[0]
            ]
            assert re.search(rf"\b{i}\b", text) or any(int(i[1:]) in s for s in spans), f"{path.name} does not name {i}"
