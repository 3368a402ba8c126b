from ..core import Loss, array_namespace, contract, real


@contract(pred=real("..."), target=real("..."))
def absolute_error(pred, target) -> Loss:
    """Absolute error of each number.

    value = |r|               r = pred - target
    grad  = sign(r)           at the kink r = 0: 0, from the subgradients in [-1, 1]

    pred, target: (...), real numbers; value: (...), in the target's unit. Its mean is least at the median.
    Raises ValueError unless the shapes are equal, TypeError on integers.
    PyTorch: F.l1_loss(pred, target, reduction="none"); its `weight` with "mean" is `weighted_mean`.
    Source: Boscovich 1757; Laplace 1793.
    """
    xp = array_namespace(pred, target)
    r = pred - target
    return Loss(xp.abs(r), xp.sign(r))
