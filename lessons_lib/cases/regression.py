"""Losses on real numbers."""

import torch.nn.functional as F

from ..losses import squared_error
from ._case import LossCase, reductions


def _real(rng):
    return 3 * rng.normal(size=(4, 3)), rng.normal(size=(4, 3))


CASES: list[LossCase] = [
    *reductions("squared_error", _real, squared_error, F.mse_loss, far=100),
]
