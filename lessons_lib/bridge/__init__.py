"""From our arrays to torch: devices, optimizers, autograd and checkpoints. Losses and rules know nothing of it."""

from .autograd import as_autograd
from .checkpoint import load, save
from .optimizer import TorchOptimizer
from .setting import Setting, device, start

__all__ = ["Setting", "TorchOptimizer", "as_autograd", "device", "load", "save", "start"]
