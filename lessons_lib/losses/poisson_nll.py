import math

from ..core import Loss, array_namespace, floating, in_float32, same_shape


@in_float32
def poisson_nll(pred, target, log_input=True, full=False, eps=1e-8) -> Loss:
    """Negative log-likelihood of each count under a Poisson distribution with predicted rate.

    value = exp(z) - y z               grad = exp(z) - y              z = pred, the log of the rate; y = target
    value = p - y log(p + eps)         grad = 1 - y / (p + eps)       p = pred, the rate: log_input=False

    pred, target: (...), counts >= 0 (as floating point numbers), rates >= 0; value: (...), in nats but for log(y!),
    of which full=True adds Stirling's approximation y log y - y + log(2 pi y) / 2 where y > 1. exp(z) leaves
    float32 at z = 89 and float16 at z = 11.
    Raises ValueError on unequal shapes, a negative rate, a negative or NaN count, eps not > 0; TypeError on integers.
    PyTorch: F.poisson_nll_loss(pred, target, log_input=..., full=..., eps=..., reduction="none"), which checks
    neither counts nor rates.
    Source: Nelder and Wedderburn 1972 (log-linear models).
    """
    xp = array_namespace(pred, target)
    floating(pred=pred, target=target)
    same_shape(pred=pred, target=target)
    if not 0 < eps < math.inf:
        raise ValueError(f"eps={eps} is not allowed; it must be a finite number > 0")
    if not bool(xp.all(target >= 0)):
        raise ValueError("target must hold counts >= 0 and no NaN")
    if log_input:
        rate = xp.exp(pred)
        value, grad = rate - target * pred, rate - target
    else:
        if bool(xp.any(pred < 0)):
            raise ValueError("pred must hold rates >= 0; with log_input=True it holds their logarithms")
        value, grad = pred - target * xp.log(pred + eps), 1 - target / (pred + eps)
    return Loss(value + _stirling(xp, target) if full else value, grad)


def _stirling(xp, y):
    """log(y!) where y > 1, and 0 elsewhere, where the approximation would be far off for 0 and 1."""
    y = xp.clip(y, 1, None)
    return xp.where(y > 1, y * xp.log(y) - y + xp.log(2 * math.pi * y) / 2, xp.zeros_like(y))
