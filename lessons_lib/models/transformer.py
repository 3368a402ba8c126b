"""A small language model of the Llama family, and of its shape: what large ones have, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import nn

from ..core.options import positive, whole


@dataclass(frozen=True)
class Config:
    """The shape of a model, in the words of Llama's configuration. Raises ValueError on what does not fit together."""

    vocab_size: int = 512
    hidden_size: int = 64
    intermediate_size: int = 172
    num_hidden_layers: int = 2
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    max_position_embeddings: int = 64  # the context
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-6

    def __post_init__(self):
        whole(least=1, **{f.name: getattr(self, f.name) for f in fields(self) if f.type == "int"})
        positive(rope_theta=self.rope_theta, rms_norm_eps=self.rms_norm_eps)
        if self.hidden_size % (2 * self.num_attention_heads):
            raise ValueError(
                f"hidden_size={self.hidden_size} must be a multiple of 2 num_attention_heads={self.num_attention_heads}"
            )
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_attention_heads={self.num_attention_heads} must be a multiple of "
                f"num_key_value_heads={self.num_key_value_heads}"
            )

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


def at_least_float32(x):
    """x, in float32 where it has 16 bits."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class RMSNorm(nn.Module):
    """weight x / sqrt(mean(x^2) + eps), the mean over the last axis.   Source: Zhang and Sennrich 2019."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x):
        return self.weight * F.rms_norm(at_least_float32(x), x.shape[-1:], eps=self.eps).to(x.dtype)


def rotate(x, positions, theta: float):
    """Each pair (x_i, x_{i + d/2}) of a head turned by the angle position theta^(-2i/d).   Source: Su et al. 2021.

    x: (..., context, d). The product of two turned vectors depends on their distance alone.
    """
    half = x.shape[-1] // 2
    slow = theta ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = positions[:, None] * slow
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


class Attention(nn.Module):
    """Each token looks at those before it and at itself; several query heads share one key and value head.

    Source: Vaswani et al. 2017; shared heads: Ainslie et al. 2023.
    """

    def __init__(self, c: Config):
        super().__init__()
        self.config, d = c, c.head_dim
        self.q_proj = nn.Linear(c.hidden_size, c.num_attention_heads * d, bias=False)
        self.k_proj = nn.Linear(c.hidden_size, c.num_key_value_heads * d, bias=False)
        self.v_proj = nn.Linear(c.hidden_size, c.num_key_value_heads * d, bias=False)
        self.o_proj = nn.Linear(c.num_attention_heads * d, c.hidden_size, bias=False)

    def heads(self, x):
        """Queries, keys and values, each (rows, query heads, context, d), the first two rotated."""
        c, (rows, context, _) = self.config, x.shape
        q, k, v = (
            proj(x).view(rows, context, -1, c.head_dim).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        positions = torch.arange(context, device=x.device)
        q, k = rotate(q, positions, c.rope_theta), rotate(k, positions, c.rope_theta)
        shared = c.num_attention_heads // c.num_key_value_heads
        return q, k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)

    def weights(self, x):
        """How much each token looks at each: softmax(q k^T / sqrt(d)) (rows, heads, context, context), rows sum to 1.

        `forward` never forms this matrix; it is here to be looked at.
        """
        q, k, _ = self.heads(x)
        scores = q @ k.transpose(-1, -2) / self.config.head_dim**0.5
        later = torch.ones_like(scores[0, 0], dtype=torch.bool).triu(1)
        return scores.masked_fill(later, -torch.inf).softmax(-1)

    def forward(self, x):
        mixed = F.scaled_dot_product_attention(*self.heads(x), is_causal=True)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """down(silu(gate(x)) * up(x)), called SwiGLU.   Source: Shazeer 2020."""

    def __init__(self, c: Config):
        super().__init__()
        self.gate_proj = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.up_proj = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.down_proj = nn.Linear(c.intermediate_size, c.hidden_size, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, c: Config):
        super().__init__()
        self.input_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.mlp = MLP(c)

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Transformer(nn.Module):
    """Tokens (rows, context) to logits (rows, context, vocab_size) of the token that follows each.

    One matrix turns tokens into vectors and vectors into logits. Parameters have the names that Llama's have.
    Library: transformers.LlamaForCausalLM, see `models.to_llama`.   Source: Touvron et al. 2023.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        for name, p in self.named_parameters():
            if p.ndim == 2:  # what is added to the residual stream starts smaller (Radford et al. 2019)
                out = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(p, std=0.02 / (2 * config.num_hidden_layers) ** 0.5 if out else 0.02)

    def forward(self, tokens):
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x)
        return F.linear(self.norm(x), self.embed_tokens.weight)


def parameter_count(model: nn.Module, trainable: bool = False) -> int:
    """How many numbers the model has; trainable: those that a gradient reaches."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable)
