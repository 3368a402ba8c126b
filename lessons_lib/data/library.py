"""Python's whole standard library as text: what a model of ten million parameters is trained on."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from .corpus import Corpus, corpus, held_out
from .python_code import LEFT_OUT


def library(seed: int = 0) -> Corpus:
    """The pages of `corpus` and the source of every module of the standard library, about ten million characters.

    About one module in twenty is kept for validation, drawn by the seed and its name. Each file once, as it is.
    Raises FileNotFoundError where this Python came without the source of its library.
    """
    home = Path(sysconfig.get_path("stdlib"))
    pages = corpus(seed=seed)
    train, validation = [pages.train], [pages.validation]
    for file in sorted(home.rglob("*.py")):
        name = file.relative_to(home).as_posix()
        if not LEFT_OUT & set(file.relative_to(home).parts):
            try:
                text = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            (validation if held_out(name, 20, seed) else train).append(text)
    return Corpus("\n\n".join(train), "\n\n".join(validation), pages.shifted)
