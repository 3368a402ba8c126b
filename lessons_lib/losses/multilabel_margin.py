from ..core import Loss, array_namespace, contract, device, integers, real
from ._stable import product, shortfall


@contract(logits=real("..., C"), labels=integers("..., C", "[-1, C)"))
def multilabel_margin(logits, labels) -> Loss:
    """Multi-label hinge of each example: every class that applies leads every class that does not by 1.

    value = sum_j sum_i h_ji / C         h_ji = max(0, 1 - z_j + z_i), j in the list, i not in it, z = logits
    grad  = each pair with h_ji > 0 adds 1/C to class i and -1/C to class j;  at the kink z_j - z_i = 1: 0

    logits: (..., C), classes on the last axis; labels: (..., C), integers: a list of classes ended by -1, what
    follows is not read; value: (...), in units of the logits. A class listed twice counts twice; an empty list
    costs nothing. Memory grows with C^2 per example.
    Raises TypeError on labels that are not integers, ValueError on unequal shapes or labels outside -1..C-1.
    PyTorch: F.multilabel_margin_loss(logits, labels, reduction="none").
    Source: Elisseeff and Weston 2001 (ranking the labels that apply above the others).
    """
    xp = array_namespace(logits, labels)
    classes = logits.shape[-1]
    left = xp.arange(classes, 0, -1, device=device(labels))  # entries from here on
    end = xp.max(xp.where(labels < 0, left, xp.zeros_like(left)), axis=-1, keepdims=True)  # at the first -1
    onehot = (xp.arange(classes, device=device(labels)) == labels[..., None]) & (left > end)[..., None]
    times = xp.sum(xp.astype(onehot, logits.dtype), axis=-2)  # how often each class is listed
    pairs = times[..., :, None] * xp.astype(times == 0, logits.dtype)[..., None, :]
    h, slope = (product(pairs, a) for a in shortfall(1, logits[..., :, None], logits[..., None, :], classes))
    return Loss(xp.sum(h, axis=(-2, -1)), xp.sum(slope, axis=-2) - xp.sum(slope, axis=-1))
