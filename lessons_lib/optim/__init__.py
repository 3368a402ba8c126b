"""Optimizers: frozen hyperparameters with `init` and `update`, for one array; and the loop. One concept per file."""

from . import schedules
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import AdaGrad
from .adam import Adam
from .adamax import Adamax
from .adamw import AdamW
from .amsgrad import AMSGrad
from .asgd import ASGD
from .descend import descend
from .each import Each
from .lamb import LAMB
from .lars import LARS
from .momentum import Momentum
from .muon import Muon
from .nadam import NAdam
from .radam import RAdam
from .rmsprop import RMSProp
from .rprop import Rprop
from .sam_gradient import sam_gradient
from .sgd import SGD
from .sparse_adam import SparseAdam

__all__ = [name for name, x in vars().items() if callable(x)]
