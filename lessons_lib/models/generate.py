from __future__ import annotations

import numpy as np
import torch

from ..core.options import at_least_0, whole


@torch.no_grad()
def generate(model, tokens, new: int, temperature: float = 1.0, seed: int = 0, end: int | None = None) -> np.ndarray:
    """The tokens and up to `new` more, each drawn from softmax(logits / temperature); 0 takes the most probable one.

    tokens: one row of numbers. The model sees the last `config.max_position_embeddings` of them. `end` stops.
    Raises ValueError on no tokens, a negative temperature, a token outside the vocabulary.
    """
    whole(new=new, seed=seed)
    at_least_0(temperature=temperature)
    row = np.asarray(tokens, dtype=np.int64)
    size, device = model.config.vocab_size, next(model.parameters()).device
    if row.ndim != 1 or not row.size or row.min() < 0 or row.max() >= size:
        raise ValueError(f"tokens must be one row, not empty, of numbers in 0..{size - 1}")
    draw = torch.Generator().manual_seed(seed)
    found = torch.from_numpy(row)
    for _ in range(new):
        seen = found[None, -model.config.max_position_embeddings :].to(device)
        logits = model(seen)[0, -1].float().cpu()
        if temperature == 0:
            token = logits.argmax(-1, keepdim=True)
        else:
            token = torch.multinomial((logits / temperature).softmax(-1), 1, generator=draw)
        found = torch.cat([found, token])
        if token.item() == end:
            break
    return found.numpy()
