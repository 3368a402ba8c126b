"""Our speed against PyTorch's, as ratios measured side by side in one run.

python -m benchmarks.bench [--rounds 7] [--small]

First the heaviest jobs at full size, then every loss and every optimizer with one row each, slowest first.
Fresh memory costs page faults, which can outweigh the arithmetic; whether the allocator keeps its pages is
part of the result. Run once as it is, once with MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 (Linux).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from lessons_lib import data, models, training
from lessons_lib.bridge import TorchOptimizer
from lessons_lib.fast.by_rows import by_rows
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import AdamW
from lessons_lib.parity import cases

SLOW = 3.0  # a row above this ratio has a reason, or says that it has none
REASONS = {
    "multilabel_margin": "every pair of classes, C^2 numbers per example; PyTorch loops over the listed ones",
    "binary_cross_entropy": "four exponentials, as the formula reads; PyTorch's kernel shares one, in a single pass",
    "Adafactor": "needs the whole matrix at once, so that its temporaries do not fit the cache",
    "nll": "a whole one-hot gradient is compared, cast and negated; PyTorch fills zeros and writes one number a row",
    "multi_margin": "eight passes over (N, C), one for each line of the formula; PyTorch's kernel makes two",
    "Muon": "Newton-Schulz multiplies matrices in float32, PyTorch in bfloat16",
} | dict.fromkeys(
    ("SGD", "Momentum", "AdaGrad", "Adamax", "SparseAdam"),
    "a new array for each operation, and a copy; PyTorch works in place",  # in place ours take no longer than PyTorch
)


def cross_entropies(small: bool):
    rows, classes = (128, 2000) if small else (2048, 32000)
    z, k = torch.randn(rows, classes), torch.randint(0, classes, (rows,))

    def torchs():
        leaf = z.detach().requires_grad_()
        F.cross_entropy(leaf, k, reduction="none").sum().backward()

    ours, blocked = (lambda: cross_entropy(z, k)), by_rows(cross_entropy)
    title = f"cross-entropy, value + gradient, {rows} x {classes} float32"
    return title, {
        "F.cross_entropy + backward": torchs,
        "cross_entropy": ours,
        "by_rows(cross_entropy)": lambda: blocked(z, k),
    }


def stepper(make, shape, gradient=lambda g: g):
    p = torch.nn.Parameter(torch.randn(shape))
    p.grad = gradient(torch.randn(shape))
    return make([p]).step


def optimizers(small: bool):
    n = 100_000 if small else 10_000_000
    return f"AdamW step, {n:,} float32 parameters in one array", {
        "torch AdamW, foreach=False": stepper(lambda p: torch.optim.AdamW(p, foreach=False), n),
        "torch AdamW, foreach=True": stepper(lambda p: torch.optim.AdamW(p, foreach=True), n),
        "torch AdamW, fused=True": stepper(lambda p: torch.optim.AdamW(p, fused=True), n),
        "TorchOptimizer(AdamW)": stepper(lambda p: TorchOptimizer(AdamW(), p), n),
    }


def training_loops(small: bool):
    """The same loop on the same model with each part ours or PyTorch's: the reciprocal of tokens per second."""
    config = models.Config(hidden_size=32, intermediate_size=48) if small else models.Config()
    rows, steps = (2, 1) if small else (16, 10)
    ids = np.random.default_rng(0).integers(config.vocab_size, size=10_000)
    batches = data.windows(ids, config.max_position_embeddings, rows)
    recipe = training.Recipe(steps=steps, warmup=0)

    def torchs_loss(logits, labels):
        return F.cross_entropy(logits, labels, reduction="none")

    def torchs_adamw(model):
        return [torch.optim.AdamW(model.parameters(), lr=recipe.lr, betas=(0.9, 0.95), weight_decay=0.1)]

    def run(loss, optimizers):
        model = models.Transformer(config)
        return lambda: training.train(model, batches, recipe, loss=loss, optimizers=optimizers(model))

    def ours(model):
        return training.optimizers_for(model, recipe)

    count = models.parameter_count(models.Transformer(config))
    title = f"training, {steps} steps of {rows} x {config.max_position_embeddings} tokens, {count:,} float32 parameters"
    return title, {
        "F.cross_entropy and torch AdamW": run(torchs_loss, torchs_adamw),
        "cross_entropy and torch AdamW": run(training.token_loss, torchs_adamw),
        "F.cross_entropy and TorchOptimizer(AdamW)": run(torchs_loss, ours),
        "cross_entropy and TorchOptimizer(AdamW)": run(training.token_loss, ours),
    }


def one_loss(case: cases.LossCase, small: bool):
    """Its case's own inputs, repeated along the batch to about a million numbers (a similarity matrix: along both)."""
    drawn = [torch.as_tensor(a) for a in case.draw(np.random.default_rng(0))]
    drawn = [a.float() if a.is_floating_point() else a for a in drawn]
    target = 1e3 if small else 1e4 if case.name == "barron_nll" else 1e6  # barron_nll: 577 numbers for each alpha
    if len(drawn) == 1:  # similarities of every pair
        n = round((target / drawn[0].numel()) ** 0.5)
        inputs = [drawn[0].tile(n, n)]
    else:
        n = round(target / max(a.numel() for a in drawn))
        inputs = [a.tile(n, *[1] * (a.ndim - 1)) for a in drawn]

    def torchs():
        leaves = [a.detach().requires_grad_() for a in inputs[: case.inputs]]
        case.torch(*leaves, *inputs[case.inputs :]).sum().backward()

    return torchs, lambda: case.ours(*inputs)


def one_rule(case: cases.RuleCase, small: bool):
    shape = (32, 32) if small else (256, 256) if case.name == "Muon" else (3000, 3000)
    theirs = torch.optim.Muon if case.name == "Muon" else case.torch  # the case's Muon is a slower one, for exactness
    if hasattr(case.ours, "elementwise"):
        return stepper(theirs, shape, case.gradient), stepper(lambda p: TorchOptimizer(case.ours, p), shape)
    theta, g = torch.randn(shape), torch.randn(shape)  # a rule made up for its case
    state = case.ours.init(theta)
    return stepper(theirs, shape, case.gradient), lambda: case.ours.update(theta, g, state)


def every_name(small: bool) -> Iterator[tuple[str, dict[str, Callable]]]:
    """Per name: PyTorch's run and ours, of the first case that has the name; made when its turn comes."""
    first = {case.name: case for case in reversed([*cases.LOSSES, *cases.RULES])}
    for name, case in first.items():
        make = one_loss if isinstance(case, cases.LossCase) else one_rule
        yield name, dict(zip(("torch", "ours"), make(case, small), strict=True))


def measure(runs: dict, rounds: int, title: str) -> dict[str, float]:
    """The fastest round of each, the one that a noisy neighbour disturbed least; interleaved, the first warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in tqdm(range(rounds + 1), desc=title, leave=False, disable=not sys.stderr.isatty()):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: min(s[1:]) for name, s in seconds.items()}


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--small", action="store_true", help="small arrays, to see that it runs")
    options = parser.parse_args(args)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    allocator = "pages kept" if os.environ.get("MALLOC_MMAP_MAX_") == "0" else "default allocator"
    print(f"torch {torch.__version__}, one thread, {allocator}; the fastest of {options.rounds} interleaved rounds")
    for make in (cross_entropies, optimizers, training_loops):
        title, runs = make(options.small)
        fastest = measure(runs, options.rounds, title)
        base = next(iter(fastest.values()))
        print(f"\n{title}")
        for name, seconds in fastest.items():
            print(f"  {seconds / base:5.2f} x  {name}")
    print("\nOurs / PyTorch's, float32: every loss (value + gradient of 1e6), every optimizer (TorchOptimizer, 9e6)")
    ratios = {}
    for name, runs in every_name(options.small):
        fastest = measure(runs, options.rounds, name)
        ratios[name] = fastest["ours"] / fastest["torch"]
    for name, ratio in sorted(ratios.items(), key=lambda item: -item[1]):
        why = REASONS.get(name, "not explained yet") if ratio > SLOW else ""
        print(f"  {ratio:5.2f} x  {name:38} {why}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
