import math

from ..core import Loss, array_namespace, contract, real


@contract(pred=real("..."), target=real("..."))
def log_cosh(pred, target) -> Loss:
    """Log-cosh loss of each number: squared error near the target, absolute error far from it, no seam between.

    value = log(cosh(r))                 r = pred - target
          = |r| + log(1 + exp(-2 |r|)) - log(2)
    grad  = tanh(r)

    pred, target: (...), value: (...). About r^2 / 2 near 0 and |r| - log(2) from afar. It has no delta: the bend
    is at |r| of about 1, so divide pred and target by the size that residuals should have.
    Raises ValueError unless the shapes are equal, TypeError on integers.
    PyTorch: none; torch.log(torch.cosh(r)) overflows at |r| = 90 in float32.
    Source: Green 1990; Saleh and Saleh 2022 (its statistics).
    """
    xp = array_namespace(pred, target)
    r = pred - target
    far = xp.abs(r) + xp.log1p(xp.exp(-2 * xp.abs(r))) - math.log(2)
    near = xp.log1p(xp.sinh(xp.clip(r, -1, 1)) ** 2) / 2  # cosh^2 = 1 + sinh^2; `far` cancels to 0 for a small r
    return Loss(xp.where(xp.abs(r) < 1, near, far), xp.tanh(r))
