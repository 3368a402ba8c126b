from ..core import Loss, array_namespace, contract, number, real


@contract(pred=real("..."), target=real("..."), delta=number("(0, inf)"))
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
    r = pred - target
    grad = xp.clip(r, -delta, delta)
    half_r = pred / 2 - target / 2  # finite also where r is not
    return Loss(2 * grad * (half_r - grad / 4), grad)  # both pieces at once, and a large r is never squared
