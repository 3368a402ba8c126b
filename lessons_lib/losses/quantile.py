from ..core import Loss, array_namespace, floating, in_float32, same_shape


@in_float32
def quantile_loss(pred, target, q=0.5) -> Loss:
    """Quantile (pinball) loss of each number: its mean is least where a share q of the targets lies below.

    value = (1 - q) r      where r > 0            r = pred - target
            -q r           elsewhere
    grad  = 1 - q  where r > 0,  -q  where r < 0;  at the kink r = 0: 0, from the subgradients in [-q, 1 - q]

    pred, target: (...); q: a number in (0, 1), or an array of them, one per place of the last axis, for several
    quantiles at once; value: (...), in the target's unit. q = 1/2 is half the absolute error.
    Raises ValueError on unequal shapes or another q, TypeError on integers.
    PyTorch: none; torch.maximum(q * -r, (1 - q) * r), which at the kink gives 1/2 - q.
    Source: Koenker and Bassett 1978.
    """
    xp = array_namespace(pred, target)
    floating(pred=pred, target=target)
    same_shape(pred=pred, target=target)
    q = _checked(xp, pred, q)
    r = pred - target
    above = xp.astype(r > 0, r.dtype)
    slope = (1 - q) * above + q * (1 - above)
    return Loss(slope * xp.abs(r), slope * xp.sign(r))


def _checked(xp, pred, q):
    if not hasattr(q, "dtype"):
        inside = 0 < q < 1
    else:
        floating(q=q)
        if tuple(q.shape) not in ((), tuple(pred.shape[-1:])):
            raise ValueError(f"q must be a number or shaped {tuple(pred.shape[-1:])}, got {tuple(q.shape)}")
        inside = bool(xp.all((q > 0) & (q < 1)))
        q = xp.astype(q, pred.dtype)
    if not inside:
        raise ValueError(f"q={q} is not allowed; it must lie in (0, 1)")
    return q
