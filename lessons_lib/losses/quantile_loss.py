from ..core import Loss, array_namespace, contract, real, spread
from ._stable import times_difference


@contract(pred=real("..."), target=real("..."), q=spread("(0, 1)"))
def quantile_loss(pred, target, q=0.5) -> Loss:
    """Quantile (pinball) loss of each number: its mean is least where a share q of the targets lies below.

    value = (1 - q) r      where r > 0            r = pred - target
            -q r           elsewhere
    grad  = 1 - q  where r > 0,  -q  where r < 0;  at the kink r = 0: 0, from the subgradients in [-q, 1 - q]

    pred, target: (...); q: a number in (0, 1), or an array of them that broadcasts to pred, such as one per place of
    the last axis, for several quantiles at once; value: (...), in the target's unit.
    q = 1/2 is half the absolute error.
    Raises ValueError on unequal shapes or another q, TypeError on integers.
    PyTorch: none; torch.maximum(q * -r, (1 - q) * r), which at the kink gives 1/2 - q.
    Source: Koenker and Bassett 1978.
    """
    xp = array_namespace(pred, target)
    r = pred - target
    above = xp.astype(r > 0, r.dtype)
    slope = (1 - q) * above + q * (1 - above)
    grad = slope * xp.sign(r)
    return Loss(times_difference(grad, pred, target), grad)
