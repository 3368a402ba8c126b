"""What a lesson runs with: its device, its seeds and its threads."""

from __future__ import annotations

from typing import NamedTuple

import torch


def device(name: str = "auto") -> torch.device:
    """The device to work on: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:1".

    Raises ValueError on another name, or on a CUDA device that this machine lacks.
    """
    if not isinstance(name, str):
        raise TypeError(f"device={name!r} is not allowed; it must be 'auto', 'cpu', 'cuda' or 'cuda:0'")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise ValueError(f"device={name!r} is unknown; use 'auto', 'cpu', 'cuda' or 'cuda:0'")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device={name!r} is not on this machine (CUDA devices: {torch.cuda.device_count()}); use 'cpu'"
        )
    return torch.device(name)


class Setting(NamedTuple):
    """What a lesson runs with: the device, and the seeds over which it repeats an experiment."""

    device: torch.device
    seeds: list[int]


def start(device_name: str = "auto", seed: int = 0, profile: str = "quick") -> Setting:
    """A lesson's first call: check its parameters, fix the threads and the seed. "quick" gives 5 seeds, "full" 20.

    Raises ValueError or TypeError naming the parameter and what is allowed.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise TypeError(f"seed={seed!r} is not allowed; it must be an integer >= 0")
    if profile not in ("quick", "full"):
        raise ValueError(f"profile={profile!r} is unknown; use 'quick' or 'full'")
    torch.set_num_threads(1)  # several notebooks at once would slow each other down, and sums depend on the threads
    torch.manual_seed(seed)
    return Setting(device(device_name), list(range(seed, seed + (5 if profile == "quick" else 20))))
