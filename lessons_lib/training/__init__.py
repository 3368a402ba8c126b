"""Training a language model: a recipe, the loop, and checkpoints from which it goes on exactly."""

from .checkpoint import Checkpoint
from .loop import History, Share, evaluate, token_loss, train
from .recipe import Recipe, optimizers_for

__all__ = ["Checkpoint", "History", "Recipe", "Share", "evaluate", "optimizers_for", "token_loss", "train"]
