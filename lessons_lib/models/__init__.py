"""A language model of some hundred thousand parameters, and how it is saved, adapted and put beside large ones."""

from .files import Saved, load, save
from .generate import generate
from .hub import Hub, from_hub, to_llama
from .lora import LoRALinear, add_lora, merge_lora
from .pretrained import pretrained
from .transformer import Config, Transformer, parameter_count, rotate

__all__ = [
    "Config",
    "Hub",
    "LoRALinear",
    "Saved",
    "Transformer",
    "add_lora",
    "from_hub",
    "generate",
    "load",
    "merge_lora",
    "parameter_count",
    "pretrained",
    "rotate",
    "save",
    "to_llama",
]
