import math
from typing import Any, NamedTuple

from ..core import Loss, array_namespace, contract, per_value, real
from ._stable import one_per_value, ratio


class BarronGrad(NamedTuple):
    pred: Any
    alpha: Any
    scale: Any


@contract(pred=real("..."), alpha=per_value("[-inf, inf]"), scale=per_value("(0, inf]"), target=real("..."))
def barron(pred, alpha, scale, target) -> Loss:
    """Barron's general robust loss of each number: alpha turns it from squared error to outliers ignored.

    value      = (b / alpha) ((x / b + 1)^(alpha / 2) - 1)     x = (r / scale)^2, r = pred - target, b = |alpha - 2|
    grad.pred  = (r / scale^2) (x / b + 1)^(alpha / 2 - 1)     grad.scale = -(r / scale) grad.pred
    grad.alpha = (b w^(alpha / 2) (log w + 1 / w - 1) / 2 + sign(alpha - 2) (w^(alpha / 2 - 1) - 1) - value) / alpha
    with w = x / b + 1

    alpha = 2: x / 2;  1: sqrt(x + 1) - 1;  0: log(x / 2 + 1);  -2: 2 x / (x + 4);  -inf: 1 - exp(-x / 2).
    pred, target: (...); alpha, scale > 0: numbers, or arrays shaped like pred but for axes of length 1; value: (...),
    no unit. grad.alpha and grad.scale hold one number per value: where numbers share an alpha, sum it over them. b
    stays within [eps, 1 / eps] of the dtype, because the slope in alpha grows like -log(b) towards alpha = 2.
    Raises ValueError on other shapes, a NaN alpha or a scale not > 0, TypeError on integers.
    PyTorch: none.
    Source: Barron 2019.
    """
    xp = array_namespace(pred, target)
    alpha, scale = one_per_value(pred, alpha, scale)
    eps = xp.finfo(pred.dtype).eps
    b = xp.clip(xp.abs(alpha - 2), eps, 1 / eps)
    side = xp.where(alpha > 2, xp.ones_like(b), -xp.ones_like(b))
    z = ratio(pred, target, scale)
    log_z = _log_size(xp, pred, target) - xp.log(scale)
    t = xp.abs(z) / xp.sqrt(b)
    u = xp.where(t < xp.inf, _log_1_plus_square(xp, t), 2 * log_z - xp.log(b))  # log(x / b + 1)
    h = b * u / 2
    s = u + side * h  # alpha u / 2, also at alpha = -inf
    value, in_alpha = _value(xp, u, h, s, side)
    # exp in two factors, or of a sum of logarithms, where only a part of the result is too large for the dtype
    root, w = xp.exp(side * h / 2), xp.abs(z) / scale
    slope = xp.where(w < xp.inf, w * root * root, xp.exp(log_z - xp.log(scale) + side * h))
    in_scale = xp.where(slope * w < xp.inf, xp.abs(z) * slope, xp.exp(2 * log_z - xp.log(scale) + side * h))
    return Loss(value, BarronGrad(xp.sign(z) * slope, in_alpha, -in_scale))


def _value(xp, u, h, s, side):
    """h e1(s) and its derivative in alpha, in an order that divides neither by alpha nor by b."""
    (e1, e2), (f1, f2) = _expm1_over(xp, s), _expm1_over(xp, -u)
    in_alpha = u * u / 2 * (h * f2 * e1 + side * (e2 + f2 - f1 * e1))
    large = xp.clip(s, 40, None)
    far = u * u / 2 * (h * f2 + side * (1 / large - f1))
    far_value, far_in_alpha = (a / large * xp.exp(large / 2) * xp.exp(large / 2) for a in (h, far))
    return xp.where(s > 40, far_value, h * e1), xp.where(s > 40, far_in_alpha, in_alpha)


def _log_size(xp, pred, target):
    """log |pred - target|, and a very negative number for 0."""
    info, r = xp.finfo(pred.dtype), xp.abs(pred - target)
    half = xp.abs(pred / 2 - target / 2)  # which is never too large
    near = xp.log(xp.clip(r, info.smallest_normal * info.eps, None))
    return xp.where(r < xp.inf, near, xp.log(xp.clip(half, 1, None)) + math.log(2))


def _log_1_plus_square(xp, t):
    """log(1 + t^2), t >= 0, squaring nothing above 1."""
    large = xp.clip(t, 1, None)
    return 2 * xp.log(large) + xp.log1p((xp.clip(t, None, 1) / large) ** 2)


def _expm1_over(xp, s):
    """e1 = (exp(s) - 1) / s and e2 = (e1 - 1) / s, which are 1 and 1/2 at 0; near it a series replaces e2."""
    one = xp.ones_like(s)
    e1 = xp.where(s == 0, one, xp.expm1(s) / xp.where(s == 0, one, s))
    small = xp.clip(s, -0.5, 0.5)
    series = 0 * small
    for n in range(14, 1, -1):
        series = series * small + 1 / math.factorial(n)
    return e1, xp.where(s == small, series, (e1 - 1) / xp.where(s == small, one, s))
