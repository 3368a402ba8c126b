import math

from ..core import Loss, array_namespace, floating, in_float32, same_shape


@in_float32
def huber(pred, target, delta=1.0) -> Loss:
    """Huber loss of each number: squared error near the target, absolute error far from it.

    value = r^2 / 2                      where |r| <= delta        r = pred - target
            delta (|r| - delta / 2)      elsewhere
    grad  = r, clipped to [-delta, delta]

    pred, target: (...); delta: a number > 0 in the target's unit; value: (...), in that unit squared. No kink:
    both pieces have the slope delta where they meet. A residual of 1e20 costs 1e20 delta and overflows nothing.
    Raises ValueError on unequal shapes or another delta, TypeError on integers.
    PyTorch: F.huber_loss(pred, target, delta=..., reduction="none"). Its `weight` multiplies the values, and
    its mean still divides by their number, unlike the `weight` of F.mse_loss and F.l1_loss.
    Source: Huber 1964.
    """
    xp = array_namespace(pred, target)
    floating(pred=pred, target=target)
    same_shape(pred=pred, target=target)
    if not 0 < delta < math.inf:
        raise ValueError(f"delta={delta} is not allowed; it must be a finite number > 0")
    r = pred - target
    grad = xp.clip(r, -delta, delta)
    return Loss(grad * (r - grad / 2), grad)  # both pieces at once, and a large r is never squared
