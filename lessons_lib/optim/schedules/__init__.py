"""Schedules: functions of the step t = 0, 1, 2, ... (PyTorch: `last_epoch`) that return the rate.

`replace(rule, lr=cosine(t, total, lr))`: nothing to store, nothing to resume. The arguments: t, then what is counted in
steps, then the rate, then the shape. So LambdaLR has no function here: it is the reader's own function of t.
All raise ValueError on a negative or NaN step.
"""

from .combined import chained, sequential
from .cycles import cosine, cosine_restarts, cyclic, one_cycle
from .decay import constant_then, exponential, linear, multi_step, multiplicative, polynomial, step_decay
from .plateau import plateau
from .swa_lr import swa_lr
from .warmup import warmup_cosine, warmup_stable_decay
