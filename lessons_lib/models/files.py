"""A model and its tokenizer as one safetensors file: numbers, and texts about them; no code."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as packed
from tokenizers import Tokenizer

from ..whole_file import replacing
from .transformer import Config, Transformer


class Saved(NamedTuple):
    """about: what its maker wrote beside it."""

    model: Transformer
    tokenizer: Tokenizer
    about: dict


def save(path: str | os.PathLike, model: Transformer, tokenizer: Tokenizer, **about) -> None:
    """Write model and tokenizer into one file; the old file stays until the new one is whole.

    about: words and numbers to keep beside it. Raises TypeError on a model that is no Transformer.
    """
    if not isinstance(model, Transformer):
        raise TypeError(f"model is a {type(model).__name__}; only a Transformer is saved here")
    texts = {"config": json.dumps(asdict(model.config)), "tokenizer": tokenizer.to_str(), "about": json.dumps(about)}
    tensors = {name: a.detach().cpu().contiguous() for name, a in model.state_dict().items()}
    with replacing(path) as file:
        file.write(packed(tensors, texts))


def load(path: str | os.PathLike, device: str = "cpu") -> Saved:
    """What `save` wrote. Raises ValueError on a file that is torn or from elsewhere, FileNotFoundError on none."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"path={str(path)!r} is not there")
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            texts = file.metadata() or {}
            model = Transformer(Config(**json.loads(texts["config"]))).to(device)
            model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
            return Saved(model, Tokenizer.from_str(texts["tokenizer"]), json.loads(texts["about"]))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"path={str(path)!r} is not a whole model that models.save wrote ({error!s:.80})") from error
