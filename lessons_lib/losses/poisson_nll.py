import math

from ..core import Loss, array_namespace, contract, flag, number, real
from ._stable import product

FAR = 2.0**64


@contract(pred=real("..."), target=real("...", "[0, inf)"), log_input=flag, full=flag, eps=number("(0, inf)"))
def poisson_nll(pred, target, log_input=True, full=False, eps=1e-8) -> Loss:
    """Negative log-likelihood of each count under a Poisson distribution with predicted rate.

    value = exp(z) - y z               grad = exp(z) - y              z = pred, the log of the rate; y = target
    value = p - y log(p + eps)         grad = 1 - y / (p + eps)       p = pred, the rate: log_input=False

    pred, target: (...), counts >= 0 (as floating point numbers), rates >= 0; value: (...), in nats but for log(y!),
    of which full=True adds Stirling's approximation y log y - y + log(2 pi y) / 2 where y > 1. exp(z) leaves
    float32 at z = 89 and float16 at z = 11.
    Raises ValueError on unequal shapes, a negative rate, a count that is negative, infinite or NaN, or eps not > 0,
    TypeError on integers.
    PyTorch: F.poisson_nll_loss(pred, target, log_input=..., full=..., eps=..., reduction="none"), which checks
    neither counts nor rates.
    Source: Nelder and Wedderburn 1972 (log-linear models).
    """
    xp = array_namespace(pred, target)
    if log_input:
        rates = xp.exp(pred), xp.exp(pred - math.log(FAR))
        value, grad = _minus(xp, rates, target, pred), _minus(xp, rates, target, xp.ones_like(pred))
    else:
        if bool(xp.any(pred < 0)):
            raise ValueError("pred must hold rates >= 0; with log_input=True it holds their logarithms")
        value = _minus(xp, (pred, pred / FAR), target, xp.log(pred + eps))
        grad = 1 - target / (pred + eps)
    return Loss(xp.where(target > 1, _with_stirling(xp, pred, target, log_input, eps), value) if full else value, grad)


def _minus(xp, rates, y, w):
    """rate - y w, also where a product or a rate alone is too large for the dtype: then in units of FAR."""
    rate, small = rates
    value = rate - product(y, w)
    far = FAR * (small - y / FAR * xp.clip(w, None, 1e6))  # exp(1e6) is inf, whatever is taken off
    return xp.where(xp.abs(value) < xp.inf, value, far)


def _with_stirling(xp, pred, y, log_input, eps):
    """The value plus y log y - y + log(2 pi y) / 2, in an order in which large counts cancel first."""
    y = xp.clip(y, 1, None)
    if log_input:
        d = pred - xp.log(y)
        value = y * (xp.expm1(d) - d)
    else:
        d = xp.clip((pred + eps - y) / y, -0.9, None)
        value = y * ((pred - y) / y - xp.where(d > -0.9, xp.log1p(d), xp.log(pred + eps) - xp.log(y)))
    return value + (xp.log(y) + math.log(2 * math.pi)) / 2
