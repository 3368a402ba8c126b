from ..core import Loss, array_namespace, contract, number, real


@contract(pred=real("..."), target=real("..."), beta=number("[0, inf)"))
def smooth_l1(pred, target, beta=1.0) -> Loss:
    """Smooth L1 loss of each number: absolute error, with its corner replaced by a parabola.

    value = r^2 / (2 beta)      where |r| < beta        r = pred - target
            |r| - beta / 2      elsewhere
    grad  = r / beta, clipped to [-1, 1]

    beta = 0 leaves the corner: value = |r|, grad = sign(r), and at the kink r = 0: 0.
    pred, target: (...); beta: a number >= 0 in the target's unit; value: (...), in that unit. It is the Huber loss
    with delta = beta, divided by beta: the far slope is 1 whatever beta is.
    Raises ValueError on unequal shapes or beta < 0, TypeError on integers.
    PyTorch: F.smooth_l1_loss(pred, target, beta=..., reduction="none").
    Source: Girshick 2015 (beta = 1).
    """
    xp = array_namespace(pred, target)
    r = pred - target
    info = xp.finfo(r.dtype)
    beta = max(beta, float(info.smallest_normal * info.eps))  # the smallest number that is not 0: there grad = sign(r)
    near = xp.clip(r, -beta, beta)
    grad = near / beta
    return Loss(grad * (r - near / 2), grad)
