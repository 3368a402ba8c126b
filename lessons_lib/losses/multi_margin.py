from ..core import Loss, array_namespace, at_least_0, device, floating, in_float32
from ._stable import positive_part


@in_float32
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
    _check(xp, logits, labels, p)
    at_least_0(margin=margin)
    classes = logits.shape[-1]
    k = xp.astype(labels, xp.int64)[..., None]
    lead = xp.take_along_axis(logits, k, axis=-1) - logits
    right = xp.arange(classes, device=device(k)) == k
    h, step = positive_part(xp.where(right, xp.zeros_like(lead), margin - lead))
    slope = (step if p == 1 else 2 * h) / classes
    return Loss(xp.sum(h**p, axis=-1) / classes, xp.where(right, -xp.sum(slope, axis=-1, keepdims=True), slope))


def _check(xp, logits, labels, p) -> None:
    floating(logits=logits)
    if not xp.isdtype(labels.dtype, "integral"):
        raise TypeError(f"labels must be integers, got dtype {labels.dtype}")
    if logits.ndim < 1 or logits.shape[-1] < 1 or tuple(labels.shape) != tuple(logits.shape[:-1]):
        raise ValueError(f"logits must be (..., C) and labels (...), got {tuple(logits.shape)}, {tuple(labels.shape)}")
    if not bool(xp.all((labels >= 0) & (labels < logits.shape[-1]))):
        raise ValueError(f"labels must lie in 0..{logits.shape[-1] - 1}")
    if p not in (1, 2):
        raise ValueError(f"p={p} is not allowed; it must be 1 or 2")
