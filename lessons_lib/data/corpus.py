"""Text to train a language model on: Python's own pages, or the reader's text; split, and a shifted test beside it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from pydoc_data.topics import topics
from typing import NamedTuple

from ..core.options import whole
from .python_code import functions

TEXTS = {".txt", ".md", ".rst", ".py"}
PAGE = 2000  # characters: a text in fewer than 40 files is cut into pages of this length, a short one into 40


class Corpus(NamedTuple):
    """train and validation: the same kind of text; shifted: another kind, on which a model is only tested."""

    train: str
    validation: str
    shifted: str


def corpus(source: str | os.PathLike | None = None, seed: int = 0) -> Corpus:
    """The pages of Python's documentation as `help()` shows them, about four fifths to train, the rest to validate.

    source: a text file, or a folder of .txt, .md, .rst and .py files, to take in their place. A seed draws the pages,
    by their names, so that every version of Python puts a page on the same side.
    Paragraphs of the training text are left out of the validation text; pages share some. shifted: what docstrings of
    the standard library say after their first line, about 450 kB. All of it comes with Python (PSF licence).
    Raises ValueError on a source without text, FileNotFoundError where there is none.
    """
    whole(seed=seed)
    pages = topics if source is None else _pages(Path(source))
    train = [pages[name] for name in sorted(pages) if not held_out(name, 5, seed)]
    known = {paragraph.strip() for page in train for paragraph in page.split("\n\n")}
    others = (pages[name] for name in sorted(pages) if held_out(name, 5, seed))
    validation = [paragraph for page in others for paragraph in page.split("\n\n") if paragraph.strip() not in known]
    if not train or not validation:
        raise ValueError(f"source={str(source)!r} is too short to be split: it needs a few paragraphs that differ")
    shifted = dict.fromkeys(f.rest for f in functions() if f.rest)
    return Corpus("\n\n".join(train), "\n\n".join(validation), "\n\n".join(shifted))


def held_out(name: str, share: int, seed: int) -> bool:
    """Whether this name is one of those, about one in `share`, that are kept for validation."""
    return zlib.crc32(f"{seed} {name}".encode()) % share == 0


def _pages(source: Path) -> dict[str, str]:
    if not source.exists():
        raise FileNotFoundError(f"source={str(source)!r} is not there; give a text file or a folder of them")
    files = sorted(f for f in source.rglob("*") if f.suffix in TEXTS) if source.is_dir() else [source]
    texts = {f.relative_to(source).as_posix(): text for f in files if (text := _read(f).strip())}
    if not texts:
        kinds = ", ".join(sorted(TEXTS))
        raise ValueError(f"source={str(source)!r} holds no text; allowed are a text file or a folder with {kinds}")
    return texts if len(texts) >= 40 else {str(i): page for i, page in enumerate(_cut(texts.values()))}


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"source={str(file)!r} is not text in UTF-8: {error.reason} at byte {error.start}") from error


def _cut(texts: Iterable[str]) -> Iterable[str]:
    """Pages of at least PAGE characters, cut between paragraphs."""
    paragraphs = [p for text in texts for p in text.split("\n\n")]
    least = min(PAGE, sum(map(len, paragraphs)) // 40)
    page: list[str] = []
    for paragraph in paragraphs:
        page.append(paragraph)
        if sum(map(len, page)) >= least:
            yield "\n\n".join(page)
            page = []
    if page:
        yield "\n\n".join(page)
