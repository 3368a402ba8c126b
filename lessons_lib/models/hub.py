"""Models that others trained: from a folder or a hub, and ours in their clothes. Needs the extra `finetune`."""

from __future__ import annotations

import os
import socket
import warnings
from dataclasses import asdict
from typing import Any, NamedTuple

from torch import nn

from .transformer import Transformer

HUB = ("huggingface.co", 443)


class Logits(nn.Module):
    """A model of `transformers` as the training loop wants it: tokens in, logits out."""

    def __init__(self, model):
        super().__init__()
        self.model, self.config = model, model.config

    def forward(self, tokens):
        return self.model(tokens, use_cache=False).logits


class Hub(NamedTuple):
    """model: tokens in, logits out; tokenizer: the one of `transformers`."""

    model: Logits
    tokenizer: Any


def from_hub(where: str | os.PathLike, rank: int | None = None, alpha: float = 16.0) -> Hub:
    """A causal language model and its tokenizer from a folder (`save_pretrained` wrote it) or by its name on the hub.

    rank: adapt all linear layers with peft's LoRA of this rank and freeze the rest; None trains everything.
    Raises ImportError without the extra, and within seconds ConnectionError where the name is neither a folder nor
    kept from an earlier call, and the hub cannot be reached.
    """
    transformers = _needed("transformers")
    if not os.path.isdir(where) and not _kept(transformers, str(where)):
        _reach(str(where))
    model = transformers.AutoModelForCausalLM.from_pretrained(where)
    if rank is not None:
        peft = _needed("peft")
        adapter = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM")
        with warnings.catch_warnings():  # of one library to the other, about names of its own
            warnings.simplefilter("ignore", FutureWarning)
            model = peft.get_peft_model(model, adapter)
    return Hub(Logits(model), transformers.AutoTokenizer.from_pretrained(where))


def to_llama(model: Transformer):
    """The same model as transformers.LlamaForCausalLM, with equal logits: everything that reads Llama reads ours."""
    transformers = _needed("transformers")
    shape = {name: value for name, value in asdict(model.config).items() if name != "rope_theta"}
    rope = {"rope_type": "default", "rope_theta": model.config.rope_theta}
    config = transformers.LlamaConfig(**shape, rope_parameters=rope, tie_word_embeddings=True)
    llama = transformers.LlamaForCausalLM(config)
    weights = {f"model.{name}": a for name, a in model.state_dict().items()}
    llama.load_state_dict({**weights, "lm_head.weight": model.embed_tokens.weight})
    return llama.to(next(model.parameters()).device)


def _needed(name: str):
    try:
        return __import__(name)
    except ImportError as error:
        raise ImportError(f"{name} is not installed: pip install 'lessons-lib[finetune]'") from error


def _kept(transformers, name: str) -> bool:
    """Whether an earlier call has brought it onto this machine."""
    try:
        transformers.AutoConfig.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError):
        return False
    return True


def _reach(name: str) -> None:
    """Raise in seconds where the hub would make one wait for a minute."""
    try:
        if os.environ.get("HF_HUB_OFFLINE", "0") in ("1", "ON", "YES", "TRUE"):
            raise OSError("HF_HUB_OFFLINE is set")
        socket.create_connection(HUB, timeout=3).close()
    except OSError as error:
        raise ConnectionError(
            f"where={name!r} is no folder, and the hub cannot be reached ({error}): give the folder of a model, "
            "or go online once; it is kept then"
        ) from None
