from ..core import Loss, array_namespace, contract, device, per_value, real
from ._stable import one_per_value
from .barron import BarronGrad, barron


@contract(pred=real("..."), alpha=per_value("[0, 2]"), scale=per_value("(0, inf]"), target=real("..."))
def barron_nll(pred, alpha, scale, target) -> Loss:
    """Negative log-likelihood of each number under the density that belongs to `barron`: with it alpha can be learned.

    value      = barron + log(scale) + log Z(alpha)       Z(alpha) = integral over x of exp(-barron(x, alpha, 1, 0))
    grad.alpha = barron's - E[d barron / d alpha]         the expectation of the slope over that density
    grad.pred  = barron's                                 grad.scale = barron's + 1 / scale

    barron alone is lowest at alpha = -inf and scale = inf, whatever the data: the two logarithms are their price. At
    alpha = 2 it is a normal density, Z = sqrt(2 pi), at 0 a Cauchy density, Z = pi sqrt(2); below 0 there is none.
    Shapes and errors as in `barron`; value in nats; one shared alpha is cheap, an array costs 577 times its size.
    Raises ValueError also where alpha is outside [0, 2].
    PyTorch: none.
    Source: Barron 2019, who reads log Z from a table.
    """
    xp = array_namespace(pred, target)
    loss = barron(pred, alpha, scale, target)
    (each_scale,) = one_per_value(pred, scale)
    if hasattr(alpha, "dtype"):
        alpha = xp.astype(alpha, pred.dtype)
    else:
        alpha = xp.full((), alpha, dtype=pred.dtype, device=device(pred))
    log_z, slope = _log_partition(xp, alpha)
    in_scale = xp.where(loss.grad.scale > -xp.inf, loss.grad.scale + 1 / each_scale, -xp.inf)
    grad = BarronGrad(loss.grad.pred, loss.grad.alpha + slope, in_scale)
    return Loss(loss.value + xp.log(each_scale) + log_z, grad)


def _log_partition(xp, alpha):
    """log Z and its slope in alpha: Z = 2 * integral of x exp(-barron) over log x, by the trapezoid rule.

    In log x the integrand is smooth for every alpha, also towards 2, so that steps of 1/8 leave an error of 1e-15;
    so does what lies beyond +-36.
    """
    x = xp.exp(xp.arange(-288, 289, dtype=alpha.dtype, device=device(alpha)) / 8) + xp.zeros_like(alpha)[..., None]
    rho = barron(x, alpha[..., None], 1.0, xp.zeros_like(x))
    p = x * xp.exp(-rho.value)
    z = xp.sum(p, axis=-1)
    return xp.log(z / 4), -xp.sum(p * rho.grad.alpha, axis=-1) / z
