from ..core import Loss, array_namespace, choice, classes, contract, device, number, real
from ._stable import shortfall


@contract(logits=real("..., C"), labels=classes("..."), margin=number("[0, inf)"), p=choice(1, 2))
def multi_margin(logits, labels, margin=1.0, p=1) -> Loss:
    """Multi-class hinge of each example: the right class leads every other one by a margin.

    value  = sum_{i != k} h_i^p / C              h_i = max(0, margin - z_k + z_i), z = logits, k = label
    grad_i = p h_i^(p-1) / C  where h_i > 0, else 0, for i != k;  grad_k = -sum_{i != k} grad_i
             at the kink z_k - z_i = margin: 0

    logits: (..., C), classes on the last axis; labels: (...), integers in 0..C-1; p: 1 or 2; value: (...),
    in units of the logits to the power p. The sum has C-1 terms and is divided by C.
    Raises TypeError on labels that are not integers, ValueError on other shapes, labels out of range,
    another p or margin < 0.
    PyTorch: F.multi_margin_loss(logits, labels, p=..., margin=..., reduction="none"); its `weight` multiplies
    value and gradient of an example by weight[k], and its mean still divides by the number of examples.
    Source: Weston and Watkins 1999 (the sum; Crammer and Singer 2001 take the maximum).
    """
    xp = array_namespace(logits, labels)
    classes = logits.shape[-1]
    k = labels[..., None]
    others = xp.arange(classes, device=device(k)) != k
    h, slope = shortfall(margin, xp.take_along_axis(logits, k, axis=-1), logits, classes)  # h_i / C
    h, slope = (xp.where(others, a, xp.zeros_like(a)) for a in (h, slope))
    if p == 2:
        h, slope = h * h * classes, 2 * h
    return Loss(xp.sum(h, axis=-1), xp.where(others, slope, -xp.sum(slope, axis=-1, keepdims=True)))
