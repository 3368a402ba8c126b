import math
from typing import Any, NamedTuple

from ..core import Loss, array_namespace, floating, in_float32, same_shape
from ._stable import one_per_value


class GaussianNLLGrad(NamedTuple):
    pred: Any
    var: Any


@in_float32
def gaussian_nll(pred, var, target, full=False, eps=1e-6) -> Loss:
    """Negative log-likelihood of each number under a normal distribution with predicted mean and variance.

    value     = (log v + r^2 / v) / 2         r = pred - target, v = max(var, eps)
    grad.pred = r / v
    grad.var  = (1 / v - r^2 / v^2) / 2       also where var < eps, as if the variance were eps

    pred, target: (...); var: a number, or an array shaped like pred but for axes of length 1, >= 0; value: (...),
    in nats but for log(2 pi) / 2, which full=True adds. grad.var holds one number per value: where numbers share a
    variance, sum it over them. Below eps it is not the slope, which is 0 and would hold a collapsed variance there.
    Raises ValueError on other shapes, a negative variance or eps not > 0, TypeError on integers.
    PyTorch: F.gaussian_nll_loss(pred, target, var, full=..., eps=..., reduction="none"): var comes last there, and
    a var of one axis less than pred means one variance per row; here write var[..., None].
    Source: Nix and Weigend 1994.
    """
    xp = array_namespace(pred, target)
    floating(pred=pred, target=target)
    same_shape(pred=pred, target=target)
    if not 0 < eps < math.inf:
        raise ValueError(f"eps={eps} is not allowed; it must be a finite number > 0")
    (var,) = one_per_value(pred, var=var)
    if bool(xp.any(var < 0)):
        raise ValueError("var must hold variances >= 0; let a network give its logarithm, and take exp")
    v = xp.clip(var, eps, None)
    r = pred - target
    z = r / v
    value = (xp.log(v) + r * z + (math.log(2 * math.pi) if full else 0.0)) / 2
    return Loss(value, GaussianNLLGrad(z, (1 / v - z * z) / 2))
