from ..core import Loss, contract, real


@contract(pred=real("..."), target=real("..."))
def squared_error(pred, target) -> Loss:
    """Squared error of each number.

    value = (pred - target)^2
    grad  = 2 (pred - target)

    pred, target: (...), real numbers; value: (...), in the target's unit squared.
    Raises ValueError unless the shapes are equal, TypeError on integers.
    PyTorch: F.mse_loss(pred, target, reduction="none"); its "mean" is `mean(...)`, over all elements.
    Source: Legendre 1805; Gauss 1809.
    """
    r = pred - target
    return Loss(r**2, 2 * r)
