"""Kill a training at random steps, let it go on, and compare the result with that of one that ran through.

python -m tools.kill                 twenty times
python -m tools.kill --times 3 --seed 7

Each time a process trains a tiny model on the CPU and saves after every step; it is killed (SIGKILL: it cannot tidy
up), started again, and must end with the same parameters to the last bit.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from tqdm import tqdm

from lessons_lib import bridge, data, models, training
from tools import _command

STEPS = 40


def child(file: Path) -> None:
    """Train, print the number of each step, and at the end a hash of all parameters."""
    bridge.start("cpu", 0)
    ids = data.windows(torch.randint(64, (5000,)).numpy(), 16, 8)
    model = models.Transformer(models.Config(vocab_size=64, hidden_size=32, intermediate_size=64))
    recipe = training.Recipe(steps=STEPS, warmup=5, save_every=1)
    training.train(
        model, ids, recipe, checkpoint=training.Checkpoint(file), watch=lambda step, _: print(step, flush=True)
    )
    numbers = b"".join(p.detach().numpy().tobytes() for p in model.parameters())
    print("end", hashlib.sha256(numbers).hexdigest(), flush=True)


def run(file: Path, kill_at: int | None = None, wait: float = 0.0) -> tuple[int, str]:
    """The first step that a process trains, and the hash at its end; killed `wait` seconds after it began `kill_at`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.kill", "--child", str(file)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **_command.QUIET},
    )
    first, result = -1, ""
    with process:
        assert process.stdout
        for line in process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "end":
                result = rest
                continue
            first = int(word) if first < 0 else first
            if kill_at is not None and int(word) >= kill_at:
                time.sleep(wait)
                process.kill()
                break
    if kill_at is None and process.returncode:
        raise RuntimeError(f"the training ended with status {process.returncode}")
    return first, result


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="of the steps at which it is killed; drawn by default")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(args)
    if options.child:
        child(options.child)
        return 0
    seed = random.randrange(10**6) if options.seed is None else options.seed
    draw = random.Random(seed)
    print(f"seed {seed}, {options.times} times, {STEPS} steps each")
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        _, whole = run(Path(folder) / "whole.pt")
        for i in tqdm(range(options.times), unit="kill", disable=not sys.stderr.isatty()):
            file, step = Path(folder) / f"{i}.pt", draw.randrange(1, STEPS)
            run(file, step, draw.uniform(0, 0.03))
            first, result = run(file)
            same = result == whole
            differ += not same
            print(
                f"killed in step {step}, went on from step {first}: {'equal' if same else 'DIFFERENT'} to the last bit"
            )
    print(f"{options.times - differ} of {options.times} equal")
    return int(bool(differ))


if __name__ == "__main__":
    _command.start()
    sys.exit(main())
