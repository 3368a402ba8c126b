"""Our speed against PyTorch's, as ratios measured side by side in one run.

python -m benchmarks.bench [--rounds 7] [--small]

Fresh memory costs page faults, which can outweigh the arithmetic; whether the allocator keeps its pages is
part of the result. Run once as it is, once with MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 (Linux).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from tqdm import tqdm

from lessons_lib.bridge import TorchOptimizer
from lessons_lib.fast.by_rows import by_rows
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import AdamW


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


def optimizers(small: bool):
    n = 100_000 if small else 10_000_000

    def step(make):
        p = torch.nn.Parameter(torch.randn(n))
        p.grad = torch.randn(n)
        return make([p]).step

    return f"AdamW step, {n:,} float32 parameters in one array", {
        "torch AdamW, foreach=False": step(lambda p: torch.optim.AdamW(p, foreach=False)),
        "torch AdamW, foreach=True": step(lambda p: torch.optim.AdamW(p, foreach=True)),
        "torch AdamW, fused=True": step(lambda p: torch.optim.AdamW(p, fused=True)),
        "TorchOptimizer(AdamW)": step(lambda p: TorchOptimizer(AdamW(), p)),
    }


def measure(runs: dict, rounds: int, title: str) -> dict[str, float]:
    """Median seconds of each, interleaved so that a noisy neighbour disturbs all alike; the first round warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in tqdm(range(rounds + 1), desc=title, leave=False, disable=not sys.stderr.isatty()):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(s[1:]) for name, s in seconds.items()}


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
    print(f"torch {torch.__version__}, one thread, {allocator}; median of {options.rounds} interleaved rounds")
    for make in (cross_entropies, optimizers):
        title, runs = make(options.small)
        median = measure(runs, options.rounds, title)
        base = next(iter(median.values()))
        print(f"\n{title}")
        for name, seconds in median.items():
            print(f"  {seconds / base:5.2f} x  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
