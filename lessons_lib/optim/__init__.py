"""Optimizers: frozen hyperparameters with `init` and `update`, for one array; and the loop. One concept per file."""

from . import schedules
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import AdaGrad
from .adam import Adam
from .adam_mini import AdamMini
from .adamax import Adamax
from .adamw import AdamW
from .ademamix import AdEMAMix
from .amsgrad import AMSGrad
from .asgd import ASGD
from .chain import Chain
from .descend import descend
from .each import Each
from .eight_bit import EightBit
from .es_gradient import es_gradient
from .galore import GaLore
from .lamb import LAMB
from .lars import LARS
from .learned_optimizer import LearnedOptimizer
from .lion import Lion
from .lookahead import Lookahead
from .maml_gradient import maml_gradient
from .momentum import Momentum
from .muon import Muon
from .nadam import NAdam
from .prodigy import Prodigy
from .qk_clip import qk_clip
from .radam import RAdam
from .reptile_gradient import reptile_gradient
from .rmsprop import RMSProp
from .rprop import Rprop
from .sam_gradient import sam_gradient
from .scaled_lora_gradients import scaled_lora_gradients
from .schedule_free_adamw import ScheduleFreeAdamW
from .schedule_free_sgd import ScheduleFreeSGD
from .sgd import SGD
from .shampoo import Shampoo
from .soap import SOAP
from .sophia import Sophia
from .sparse_adam import SparseAdam

__all__ = [name for name, x in vars().items() if callable(x)]
