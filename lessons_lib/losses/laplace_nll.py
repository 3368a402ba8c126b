import math
from typing import Any, NamedTuple

from ..core import Loss, array_namespace, contract, per_value, real
from ._stable import one_per_value, ratio


class LaplaceNLLGrad(NamedTuple):
    pred: Any
    scale: Any


@contract(pred=real("..."), scale=per_value("(0, inf]"), target=real("..."))
def laplace_nll(pred, scale, target) -> Loss:
    """Negative log-likelihood of each number under a Laplace distribution with predicted centre and scale.

    value      = |r| / b + log(2 b)           r = pred - target, b = scale
    grad.pred  = sign(r) / b                  at the kink r = 0: 0
    grad.scale = (1 - |r| / b) / b

    pred, target: (...); scale: a number, or an array shaped like pred but for axes of length 1, > 0; value: (...),
    in nats. At a fixed scale it is the absolute error; the best scale is the mean of |r|. grad.scale holds one number
    per value: where numbers share a scale, sum it over them.
    Raises ValueError on other shapes or a scale that is not > 0 or NaN, TypeError on integers.
    PyTorch: -torch.distributions.Laplace(pred, scale).log_prob(target).
    Source: Laplace 1774.
    """
    xp = array_namespace(pred, target)
    (b,) = one_per_value(pred, scale)
    size = xp.abs(ratio(pred, target, b))
    return Loss(size + xp.log(b) + math.log(2), LaplaceNLLGrad(xp.sign(pred - target) / b, (1 - size) / b))
