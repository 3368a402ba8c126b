"""From text to numbers and back: byte-pair encoding, as large models use it."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from ..core.options import whole

END = "<|end|>"  # of an answer; it has the number 0


def bpe(text: str, size: int = 512) -> Tokenizer:
    """A tokenizer with `size` tokens: the 256 bytes, END, and the pairs that the text joins most often.

    Every text can be encoded and comes back exactly: decode(encode(text).ids, skip_special_tokens=False).
    Raises ValueError on an empty text or a size < 257.
    Library: tokenizers, byte-level BPE.   Source: Sennrich, Haddow and Birch 2016; on bytes: Radford et al. 2019.
    """
    whole(least=257, size=size)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"text must hold text to learn pairs from, got {text!r:.40}")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[END], initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(text.split("\n\n"), trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, text: str) -> np.ndarray:
    """The numbers of the text's tokens, one row of int64."""
    return np.array(tokenizer.encode(text).ids, dtype=np.int64)
