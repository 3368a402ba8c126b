"""Optimizers: frozen hyperparameters with `init` and `update`, for one array. One concept per file."""

from .adam import Adam
from .adamw import AdamW
from .amsgrad import AMSGrad
from .each import Each
from .momentum import Momentum
from .sgd import SGD

__all__ = ["SGD", "AMSGrad", "Adam", "AdamW", "Each", "Momentum"]
