from ..core import Loss, array_namespace, device, floating, in_float32


@in_float32
def cross_entropy(logits, labels) -> Loss:
    """Cross-entropy of each example, from its logits and the index of its class.

    value = logsumexp(z) - z_k          z = logits, k = label
    grad  = softmax(z) - onehot(k)

    logits: (..., C), classes on the last axis; labels: (...), integers in 0..C-1; value: (...), in nats.
    Raises TypeError on labels that are not integers, ValueError on other shapes or labels out of range.
    PyTorch: F.cross_entropy(logits, labels, reduction="none"), which wants the classes on axis 1;
    `weight` and `ignore_index` are `weighted_mean` here, `label_smoothing` is `soft_cross_entropy`.
    Source: Good 1952 (logarithmic score); Bridle 1990 (softmax).
    """
    xp = array_namespace(logits, labels)
    _check(xp, logits, labels)
    k = xp.astype(labels, xp.int64)[..., None]
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)  # the largest is now 0: exp cannot overflow
    e = xp.exp(shifted)
    s = xp.sum(e, axis=-1, keepdims=True)
    value = xp.log(s) - xp.take_along_axis(shifted, k, axis=-1)
    onehot = xp.arange(logits.shape[-1], device=device(k)) == k
    return Loss(value[..., 0], e / s - xp.astype(onehot, e.dtype))


def _check(xp, logits, labels) -> None:
    floating(logits=logits)
    if not xp.isdtype(labels.dtype, "integral"):
        raise TypeError(f"labels must be integers, got dtype {labels.dtype}; probabilities go to soft_cross_entropy")
    if logits.ndim < 1 or logits.shape[-1] < 1 or tuple(labels.shape) != tuple(logits.shape[:-1]):
        raise ValueError(f"logits must be (..., C) and labels (...), got {tuple(logits.shape)}, {tuple(labels.shape)}")
    if not bool(xp.all((labels >= 0) & (labels < logits.shape[-1]))):
        raise ValueError(f"labels must lie in 0..{logits.shape[-1] - 1}; to ignore some, weigh them 0 in weighted_mean")
