"""From where a run goes on. One file, replaced in one step; a run with other settings is refused."""

from __future__ import annotations

import os
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..bridge import load, save
from ..data import Batch
from .recipe import Recipe


class Checkpoint:
    """A file with model, optimizers, history and recipe. Raises ValueError on one that is torn or from elsewhere."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.settings: dict[str, Any] = {}

    def resume(self, model, optimizers, recipe: Recipe, first: Batch, history):
        """The history so far, model and optimizers as they were then; where there is no file, one of the beginning.

        Written at once, so that a folder that cannot be written to is found before the work.
        Raises ValueError where the file is of another recipe or of other data.
        """
        self.settings = {**asdict(recipe), "data": zlib.crc32(b"".join(a.tobytes() for a in first))}
        if not self.exists():
            self.save(model, optimizers, history)
            return history
        found = self.read(model, optimizers)
        for name, value in self.settings.items():
            if found["settings"].get(name) != value:
                raise ValueError(
                    f"{self.path} is of a run with {name}={found['settings'].get(name)}, this one has {value}: "
                    "name another file, or delete this one"
                )
        return type(history)(**found["history"])

    def exists(self) -> bool:
        return self.path.exists()

    def read(self, model, optimizers) -> dict[str, Any]:
        found = load(self.path)
        if missing := {"settings", "history", "model", "optimizers"} - found.keys():
            raise ValueError(f"{self.path} is not a checkpoint of a training: it lacks {sorted(missing)[0]!r}")
        model.load_state_dict(found["model"])
        for optimizer, state in zip(optimizers, found["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        return found

    def save(self, model, optimizers, history) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        save(
            self.path,
            settings=self.settings,
            history=history._asdict(),
            model=model.state_dict(),
            optimizers=[optimizer.state_dict() for optimizer in optimizers],
        )
