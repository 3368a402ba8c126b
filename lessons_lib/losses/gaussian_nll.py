import math
from typing import Any, NamedTuple

from ..core import Loss, array_namespace, contract, flag, number, per_value, real
from ._stable import one_per_value, ratio


class GaussianNLLGrad(NamedTuple):
    pred: Any
    var: Any


@contract(pred=real("..."), var=per_value("[0, inf]"), target=real("..."), full=flag, eps=number("(0, inf)"))
def gaussian_nll(pred, var, target, full=False, eps=1e-6) -> Loss:
    """Negative log-likelihood of each number under a normal distribution with predicted mean and variance.

    value     = (log v + r^2 / v) / 2         r = pred - target, v = max(var, eps)
    grad.pred = r / v
    grad.var  = (1 / v - r^2 / v^2) / 2       also where var < eps, as if the variance were eps

    pred, target: (...); var: a number, or an array shaped like pred but for axes of length 1, >= 0; value: (...),
    in nats but for log(2 pi) / 2, which full=True adds. grad.var holds one number per value: where numbers share a
    variance, sum it over them. Below eps it is not the slope, which is 0 and would hold a collapsed variance there.
    Raises ValueError on other shapes, a negative or NaN variance or eps not > 0, TypeError on integers.
    PyTorch: F.gaussian_nll_loss(pred, target, var, full=..., eps=..., reduction="none"): var comes last there, and
    a var of one axis less than pred means one variance per row; here write var[..., None].
    Source: Nix and Weigend 1994.
    """
    xp = array_namespace(pred, target)
    (var,) = one_per_value(pred, var)
    v = xp.clip(var, eps, None)
    z, half_r = ratio(pred, target, v), pred / 2 - target / 2  # each is finite where r is not
    value = (xp.log(v) + (math.log(2 * math.pi) if full else 0.0)) / 2 + half_r * z
    return Loss(value, GaussianNLLGrad(z, 1 / v / 2 - z * (z / 2)))
