"""A checkpoint that is whole or not there: one file, replaced in one step."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from ..whole_file import replacing

MARK = "lessons_lib checkpoint"


def save(path: str | os.PathLike, /, **things) -> None:
    """Write state_dicts, tensors and numbers by name: save("run.pt", model=model.state_dict(), step=7).

    They are written beside the file, flushed to the disk, read once to see that they can be, and moved into its place
    in one step: whatever interrupts this, a full disk included, the file is the old one or the new one.
    Raises TypeError on what `load` could not read back.
    PyTorch: torch.save(things, path), which leaves half a file where it is interrupted.
    """
    try:
        with replacing(path) as file:
            torch.save({MARK: things}, file)
            file.flush()
            _read(Path(file.name), "meta")  # "meta": without its numbers
    except (ValueError, TypeError, AttributeError, pickle.PicklingError) as error:
        names = ", ".join(things)
        raise TypeError(f"{names}: only nests of tensors, numbers and strings can be read back, not this") from error


def load(path: str | os.PathLike, device: str | torch.device = "cpu") -> dict[str, Any]:
    """The things that `save` wrote, by name, on this device. No code in the file is run.

    Raises ValueError on a file that is torn, damaged or from elsewhere, FileNotFoundError where there is none.
    PyTorch: torch.load(path, map_location=device, weights_only=True).
    """
    return _read(Path(path), device)


def _read(path: Path, device) -> dict[str, Any]:
    try:
        found = torch.load(path, map_location=device, weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torn zip, foreign pickle, no pickle at all: each raises something else
        raise ValueError(f"{path} is not a whole checkpoint that bridge.save wrote ({type(error).__name__})") from error
    if not isinstance(found, dict) or MARK not in found:
        raise ValueError(f"{path} is not a checkpoint that bridge.save wrote")
    return found[MARK]
