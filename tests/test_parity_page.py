"""The parity page speaks of everything that PyTorch has, and of what was measured, not of what was once true."""

import copy
import inspect
import json

import pytest
import torch
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from lessons_lib import parity, provenance
from lessons_lib.parity import corners
from lessons_lib.parity.cases import TORCH
from tools import parity_page

FILES = sorted(parity_page.RESULTS.glob("torch-*.json"))
MEASURED = [json.loads(f.read_text(encoding="utf-8")) for f in FILES]


def test_every_loss_and_optimizer_of_pytorch_is_on_the_page():
    losses = {n for n in dir(torch.nn) if n.endswith(("Loss", "WithLoss"))} - {"LinearCrossEntropyLoss"}
    assert losses == set(parity_page.LOSSES)
    optimizers = {n for n, c in vars(torch.optim).items() if isinstance(c, type)} - {"Optimizer"}
    assert optimizers == set(parity_page.OPTIMIZERS)
    schedulers = {c.__name__ for c in vars(lr_scheduler).values() if inspect.isclass(c) and issubclass(c, LRScheduler)}
    named = set(parity_page.HELPERS) | {"LRScheduler", "LambdaLR"}
    assert {n for n in schedulers if not n.startswith("_")} <= named
    shown = {
        n
        for table in (parity_page.OPTIMIZERS, parity_page.HELPERS)
        for ours in table.values()
        for n in ours.split(", ")
    }
    assert shown <= set(parity.names())


def test_the_page_is_what_the_measurements_give():
    stored = (parity_page.ROOT / "results" / "parity.md").read_text(encoding="utf-8")
    assert len(MEASURED) >= 3, "measured on three releases of torch: make parity-matrix"
    assert stored == parity_page.page(MEASURED, parity.newest_record()), "run python -m tools.parity_page"


def test_every_row_and_corner_was_measured_and_none_disagrees():
    ours = {f"{c.name} | {c.option}" for c in parity.ALL}  # that the installed torch has
    measured = [m for m in MEASURED if tuple(map(int, m["torch"].split(".")[:2])) <= TORCH][-1]
    assert set(measured["rows"]) == ours and set(measured["corners"]) == {c.title for c in corners.CORNERS}
    for m in MEASURED:
        assert [key for key, entry in m["rows"].items() if not all(cell[2] for cell in entry.values())] == []


def test_a_row_that_disagrees_or_is_out_of_date_is_said_to(monkeypatch):
    wrong = copy.deepcopy(MEASURED[-1:])
    wrong[0]["rows"]["Adam | plain"]["float64"][2] = False
    wrong[0]["source"]["huber"] = "another"
    text = parity_page.page(wrong, None)
    line = next(line for line in text.splitlines() if line.startswith("| `Adam` | plain"))
    assert line.count("**no**") == 2 and "**Stale**" in text and "huber" in text.split("**Stale**")[1].splitlines()[0]


def test_a_change_of_a_loss_outdates_the_losses_that_call_it(monkeypatch):
    fresh, source = parity.source_hash.__wrapped__, provenance.source
    before = {name: fresh(name) for name in ("barron", "barron_nll", "huber", "squared_error", "SGD")}
    monkeypatch.setattr(provenance, "source", lambda part: source(part).replace("in_alpha", "by_alpha"))
    assert {name for name in before if fresh(name) != before[name]} == {"barron", "barron_nll"}


@pytest.mark.parametrize("corner", corners.CORNERS, ids=lambda c: c.title)
def test_the_corners_on_the_page_are_todays(corner):
    if MEASURED[-1]["torch"] == torch.__version__.split("+")[0]:
        assert MEASURED[-1]["corners"][corner.title] == corner.answers()
