"""The loop that trains a language model: the same numbers as PyTorch's, and nobody's run is lost."""

import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lessons_lib import data
from lessons_lib.data.library import library
from lessons_lib.models import Config, Transformer, add_lora, parameter_count
from lessons_lib.optim import Momentum, Muon, clip
from lessons_lib.training import Checkpoint, Recipe, evaluate, full, optimizers_for, train
from tools import kill

TINY = Config(vocab_size=64, hidden_size=32, intermediate_size=48, num_attention_heads=2, num_key_value_heads=1)
RECIPE = Recipe(steps=20, warmup=4, evaluate_every=10, save_every=4)


def model(seed: int = 0, dtype=torch.float32) -> Transformer:
    torch.manual_seed(seed)
    return Transformer(TINY).to(dtype)


def batches(seed: int = 0) -> data.Batches:
    """Of a text in which the next number follows from the last two, half of it masked."""
    ids = np.random.default_rng(seed).integers(0, 8, 3000)
    ids = (ids + 5 * np.roll(ids, 1)) % 64
    draw = data.windows(ids, 16, 8, seed)
    mask = np.random.default_rng(seed + 1).random((8, 16)) < 0.5
    return lambda step: draw(step)._replace(weight=mask.astype(np.float32))


def numbers(m: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in m.parameters()])


def torchs(m: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    groups = [
        {"params": [p for p in m.parameters() if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in m.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.95))


def torch_loss(logits, labels):
    return F.cross_entropy(logits, labels, reduction="none")


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-10), (torch.float32, 2e-3)])
def test_our_loss_and_optimizer_follow_pytorchs_for_100_steps(dtype, rtol):
    recipe = replace(RECIPE, steps=100)
    ours, theirs = model(dtype=dtype), model(dtype=dtype)
    weight = (lambda draw: lambda s: draw(s)._replace(weight=draw(s).weight.astype(np.float64)))(batches())
    a = train(ours, weight, recipe)
    b = train(theirs, weight, recipe, optimizers=[torchs(theirs, recipe)], loss=torch_loss)
    np.testing.assert_allclose(a.loss, b.loss, rtol=rtol)
    np.testing.assert_allclose(a.norm, b.norm, rtol=rtol * 10)
    torch.testing.assert_close(numbers(ours), numbers(theirs), rtol=rtol * 10, atol=rtol)
    assert a.loss[-1] < 0.9 * a.loss[0]


def stop(at: int):
    """A `watch` that interrupts before the update of this step, as Ctrl-C would."""

    def watch(step, _):
        if step == at:
            raise KeyboardInterrupt

    return watch


def test_the_loop_does_what_its_formulas_say():
    """One step by hand: the mean over the tokens that count, clipped by its norm, at the rate of the schedule."""
    ours, by_hand, batch = model(), model(), batches()(0)
    recipe = replace(RECIPE, clip=0.1)
    with pytest.raises(KeyboardInterrupt):
        train(ours, batches(), recipe, watch=stop(1))
    counts = torch.from_numpy(batch.weight) > 0
    F.cross_entropy(by_hand(torch.from_numpy(batch.x))[counts], torch.from_numpy(batch.y)[counts]).backward()
    clipped = clip.clip_by_norm({name: p.grad for name, p in by_hand.named_parameters()}, 0.1)
    for name, p in by_hand.named_parameters():
        p.grad = clipped[name]
    optimizer = torchs(by_hand, recipe)
    for group in optimizer.param_groups:
        group["lr"] = recipe.lr / 4  # the first of four warm-up steps
    optimizer.step()
    torch.testing.assert_close(numbers(ours), numbers(by_hand), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("parts", [2, 3])
def test_a_token_counts_the_same_in_however_many_parts_a_batch_is_cut(parts):
    """The masks differ from row to row: a mean of the parts' means would be another number."""
    whole, cut = model(), model()
    a = train(whole, batches(), replace(RECIPE, steps=8, warmup=1))
    b = train(cut, batches(), replace(RECIPE, steps=8, warmup=1, accumulate=parts))
    np.testing.assert_allclose(a.loss, b.loss, rtol=1e-5)
    np.testing.assert_allclose(a.norm, b.norm, rtol=1e-4)


def test_masked_tokens_change_nothing():
    def other(step):
        batch = batches()(step)
        return batch._replace(y=np.where(batch.weight > 0, batch.y, 7))

    one, two = model(), model()
    train(one, batches(), RECIPE)
    train(two, other, RECIPE)
    assert torch.equal(numbers(one), numbers(two))


def test_what_decays_and_what_does_not():
    m = model()
    (optimizer,) = optimizers_for(m, replace(RECIPE, weight_decay=0.5))
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert {name for name, p in m.named_parameters() if decay[id(p)] == 0.0} == {
        name for name, _ in m.named_parameters() if "norm" in name
    }
    assert set(decay.values()) == {0.0, 0.5} and len(decay) == len(list(m.parameters()))
    assert optimizers_for(m, RECIPE, Momentum(0.1))[0].param_groups[0]["lr"] == 0.1


def test_the_rate_rises_and_falls():
    recipe = Recipe(steps=100, warmup=10, lr_end=0.1)
    rates = [recipe.factor(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == rates[9] == 1.0 and rates[-1] == pytest.approx(0.1)
    assert (np.diff(rates[9:]) < 0).all()


def test_the_mean_loss_over_a_set_does_not_depend_on_the_cuts():
    m, batch = model(), batches()(3)
    assert evaluate(m, batch, rows=3) == pytest.approx(evaluate(m, batch, rows=100), rel=1e-6)
    assert evaluate(m, batch, torch_loss) == pytest.approx(evaluate(m, batch), rel=1e-6)
    with pytest.raises(ValueError, match="no token counts"):
        evaluate(m, batch._replace(weight=batch.weight * 0))


def test_muon_moves_the_matrices_between_the_layers_and_adamw_the_rest():
    m = model()
    muon, adamw = optimizers_for(m, RECIPE, Muon(0.02))
    name = {id(p): n for n, p in m.named_parameters()}
    inner = {name[id(p)] for group in muon.param_groups for p in group["params"]}
    assert all("proj" in n for n in inner) and len(inner) == 14
    assert sum(len(group["params"]) for group in adamw.param_groups) == 6
    history = train(m, batches(), RECIPE, optimizers=[muon, adamw])
    assert muon.param_groups[0]["lr"] == pytest.approx(0.002) and adamw.param_groups[0]["lr"] == pytest.approx(3e-4)
    assert max(history.lr) == 0.02


@pytest.mark.parametrize("rule", [None, Momentum(0.1), Muon(0.02)])
@pytest.mark.parametrize("at", [1, 9, 19])
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path, at, rule):
    def run(m, watch=None, file=None):
        optimizers = optimizers_for(m, RECIPE, rule)
        return train(
            m, batches(), RECIPE, optimizers=optimizers, watch=watch, checkpoint=file, validation=batches()(99)
        )

    through, first, second = model(), model(), model(5)
    whole = run(through)
    file = Checkpoint(tmp_path / "run" / "a.pt")
    with pytest.raises(KeyboardInterrupt):
        run(first, stop(at), file)
    assert [f.name for f in file.path.parent.iterdir()] == ["a.pt"]
    assert run(second, file=file) == whole
    assert torch.equal(numbers(second), numbers(through))
    assert run(model(7), file=file) == whole, "a finished run is not trained again"


def test_a_killed_run_goes_on_to_the_same_bits(capsys):
    assert kill.main(["--times", "2", "--seed", "1"]) == 0
    printed = capsys.readouterr().out
    assert "2 of 2 equal" in printed and len(re.findall(r"killed in step \d+, went on from step [1-9]", printed)) == 2


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path, monkeypatch):
    file = Checkpoint(tmp_path / "a.pt")
    with pytest.raises(KeyboardInterrupt):
        train(model(), batches(), RECIPE, checkpoint=file, watch=stop(5))
    before, real = file.path.read_bytes(), torch.save

    def full(things, to):
        real({"half": 1}, to)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        train(model(), batches(), RECIPE, checkpoint=file)
    assert file.path.read_bytes() == before and [f.name for f in tmp_path.iterdir()] == ["a.pt"]


def test_a_folder_that_cannot_be_written_to_is_found_before_the_work(tmp_path):
    (tmp_path / "a file").touch()
    steps: list[int] = []
    with pytest.raises(OSError):
        train(
            model(),
            batches(),
            RECIPE,
            checkpoint=Checkpoint(tmp_path / "a file" / "a.pt"),
            watch=lambda step, _: steps.append(step),
        )
    assert not steps


def test_a_checkpoint_that_is_not_this_runs_is_refused(tmp_path):
    file = Checkpoint(tmp_path / "a.pt")
    train(model(), batches(), RECIPE, checkpoint=file)
    with pytest.raises(ValueError, match=r"a.pt is of a run with lr=0.003, this one has 0.01"):
        train(model(), batches(), replace(RECIPE, lr=0.01), checkpoint=file)
    with pytest.raises(ValueError, match=r"a.pt is of a run with data="):
        train(model(), batches(1), RECIPE, checkpoint=file)
    with pytest.raises(ValueError, match="state_dict was saved by AdamW, this optimizer is Momentum"):
        other = model()
        train(other, batches(), RECIPE, checkpoint=file, optimizers=optimizers_for(other, RECIPE, Momentum()))
    file.path.write_bytes(file.path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"a.pt is not a whole checkpoint"):
        train(model(), batches(), RECIPE, checkpoint=file)
    torch.save({"model": 1}, file.path)
    with pytest.raises(ValueError, match=r"a.pt is not a checkpoint that bridge.save wrote"):
        train(model(), batches(), RECIPE, checkpoint=file)


def changed(**columns):
    return lambda step: batches()(step)._replace(**columns)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (changed(weight=np.zeros((8, 16), np.float32)), "batch 0 has no token that counts"),
        (changed(x=np.full((8, 16), 64)), r"batch 0 has a token outside 0..63"),
        (changed(y=np.full((8, 16), -100)), r"batch 0 has a token outside 0..63"),
    ],
)
def test_a_bad_batch_is_refused(bad, says):
    with pytest.raises(ValueError, match=says):
        train(model(), bad, RECIPE)


def test_too_many_parts_are_refused():
    with pytest.raises(ValueError, match="8 rows cannot be cut into 9 parts"):
        train(model(), batches(), replace(RECIPE, accumulate=9))


def test_a_run_that_diverges_stops_with_one_sentence_and_finite_parameters():
    m = model()
    recipe = replace(RECIPE, warmup=0, clip=math.inf)
    with pytest.raises(FloatingPointError, match=r"the run diverged: loss .* in step \d+ at lr="):
        train(m, batches(), recipe, optimizers=optimizers_for(m, recipe, Momentum(1e30)))
    assert numbers(m).isfinite().all()


def test_an_optimizer_of_another_model_is_refused():
    with pytest.raises(ValueError, match="optimizers have 20 parameters that the model does not have"):
        train(model(), batches(), RECIPE, optimizers=optimizers_for(model(), RECIPE))


def test_an_optimizer_built_before_lora_is_refused():
    m = model()
    optimizers = optimizers_for(m, RECIPE)
    with pytest.raises(ValueError, match=r"optimizers have 20 parameters .* that it keeps frozen"):
        train(add_lora(m, rank=2), batches(), RECIPE, optimizers=optimizers)


def test_a_part_in_which_no_token_counts_is_no_harm():
    def first_row_only(step):
        batch = batches()(step)
        return batch._replace(weight=np.where(np.arange(8)[:, None] == 0, 1, 0) * np.ones((8, 16), np.float32))

    whole, cut = model(), model()
    a = train(whole, first_row_only, replace(RECIPE, steps=6, warmup=1))
    b = train(cut, first_row_only, replace(RECIPE, steps=6, warmup=1, accumulate=4))
    np.testing.assert_allclose(a.loss, b.loss, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"steps": 0}, ValueError, "steps=0"),
        ({"lr": -1.0}, ValueError, "lr=-1.0"),
        ({"lr": math.nan}, ValueError, "lr=nan"),
        ({"warmup": 400}, ValueError, "warmup=400"),
        ({"clip": -1.0}, ValueError, "clip=-1.0"),
        ({"accumulate": 1.5}, ValueError, "accumulate=1.5"),
        ({"save_every": "1"}, TypeError, "save_every='1'"),
        ({"lr_end": 2}, ValueError, "lr_end=2"),
    ],
)
def test_a_bad_recipe_is_refused(options, error, says):
    with pytest.raises(error, match=says):
        Recipe(**options)


def test_the_run_of_a_gpu_is_the_same_code_on_a_larger_model(monkeypatch):
    """Here a small one, on the CPU: every number that the record keeps is there, and the model learns."""
    text = data.corpus()
    monkeypatch.setattr(full, "library", lambda seed: text._replace(train=text.train[:100_000]))
    found = full.full("cpu", Config(vocab_size=512, max_position_embeddings=32), Recipe(steps=30, warmup=5), rows=8)
    assert found["validation"][-1][1] < found["loss"][0] - 0.5 and found["tokens"] == 30 * 8 * 32
    assert found["peak_bytes"] is None and found["sample"].startswith("def mean") and json.dumps(found)
    assert parameter_count(Transformer(full.CONFIG)) == pytest.approx(1.1e7, rel=0.1)


def test_the_run_of_a_gpu_is_shown_with_its_device_or_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(full, "newest_record", lambda: None)
    assert "No run on a GPU is recorded yet" in str(full.recorded())
    run = {"parameters": 7, "tokens": 9, "tokens_per_second": 5, "peak_bytes": 2e9, "shifted": 2.5, "source": "old"}
    run["validation"] = [[10, 4.0], [20, 3.0]]
    made = {"device": "a card", "torch": "2.11", "cuda": "13", "date": "today", "training": run}
    monkeypatch.setattr(full, "newest_record", lambda: made)
    shown = str(full.recorded())
    assert "a card, torch 2.11, CUDA 13, today; STALE" in shown and "validation loss after 20 steps  3.0" in shown


def test_the_whole_library_is_text_too():
    text = library()
    assert len(text.train) > 5e6 and 1e5 < len(text.validation) < len(text.train) / 5
    assert text.shifted == data.corpus().shifted


# Several processes: PyTorch's own engines, our loop, our loss, our optimizers.

needs_gloo = pytest.mark.skipif(
    sys.platform != "linux" or not torch.distributed.is_available(), reason="torchrun with gloo, on Linux"
)


def spread(processes: int, *args: str, script: str | None = None) -> list[dict]:
    """What the first of these processes printed, a line per step."""
    what = [script] if script else ["-m", "lessons_lib.training.distributed"]
    launch = (
        ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes > 1 else []
    )
    done = subprocess.run(
        [sys.executable, *launch, *what, *args],
        capture_output=True,
        text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def alone():
    return spread(1, "--steps", "8")


@needs_gloo
@pytest.mark.parametrize("engine", ["ddp", "fsdp"])
def test_two_processes_train_as_one_does(alone, engine):
    both = spread(2, "--engine", engine, "--steps", "8")
    for name, rtol in (("loss", 1e-4), ("norm", 1e-3)):
        np.testing.assert_allclose([s[name] for s in both], [s[name] for s in alone], rtol=rtol)
    assert len(both) == 8 and both[-1]["loss"] < both[0]["loss"]


@needs_gloo
def test_a_checkpoint_of_two_processes_is_read_by_one(alone, tmp_path):
    args = ["--steps", "8", "--save-every", "4", "--checkpoint", str(tmp_path)]
    spread(2, "--engine", "fsdp", *args)
    (folder,) = tmp_path.iterdir()  # the older one is gone
    assert folder.name == "step-00000008"
    np.testing.assert_allclose([s["loss"] for s in spread(1, *args)], [s["loss"] for s in alone], rtol=1e-4)


@needs_gloo
def test_muon_sees_the_whole_matrix(tmp_path):
    """In pieces, each piece would be made orthogonal by itself, which is another step."""
    args = ["--steps", "4", "--rule", "muon", "--lr", "0.02"]
    one, both = spread(1, *args), spread(2, "--engine", "fsdp", *args)
    np.testing.assert_allclose([s["loss"] for s in both], [s["loss"] for s in one], rtol=1e-4)


TRAP = """
import os, torch, torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from lessons_lib.training import Recipe, optimizers_for, train
from lessons_lib.data.library import library
from lessons_lib.models import Config, Transformer, add_lora, parameter_count
from lessons_lib import data
dist.init_process_group("gloo")
model, recipe = Transformer(Config()), Recipe(steps=2, warmup=0)
optimizers = optimizers_for(model, recipe)
fully_shard(model)
try:
    train(model, data.windows(torch.arange(500).numpy(), 16, 4), recipe, optimizers=optimizers)
except ValueError as error:
    if dist.get_rank() == 0:
        print('{"said": "%s"}' % error)
dist.destroy_process_group()
"""


@needs_gloo
def test_an_optimizer_built_before_sharding_is_refused(tmp_path):
    script = tmp_path / "trap.py"
    script.write_text(TRAP, encoding="utf-8")
    (line,) = spread(2, script=str(script))
    assert "would train nothing. Build them last, after fully_shard" in line["said"]
