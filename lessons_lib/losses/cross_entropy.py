from ..core import Loss, array_namespace, classes, contract, device, real


@contract(logits=real("..., C"), labels=classes("..."))
def cross_entropy(logits, labels) -> Loss:
    """Cross-entropy of each example, from its logits and the index of its class.

    value = logsumexp(z) - z_k          z = logits, k = label
    grad  = softmax(z) - onehot(k)

    logits: (..., C), classes on the last axis; labels: (...), integers in 0..C-1; value: (...), in nats.
    A logit of -inf leaves its class out; one of +inf, or a row of nothing but -inf, gives NaN, as in PyTorch.
    Raises TypeError on labels that are not integers, ValueError on other shapes or labels out of range.
    PyTorch: F.cross_entropy(logits, labels, reduction="none"), which wants the classes on axis 1;
    `weight` and `ignore_index` are `weighted_mean` here, `label_smoothing` is `soft_cross_entropy`.
    Source: Good 1952 (logarithmic score); Bridle 1990 (softmax).
    """
    xp = array_namespace(logits, labels)
    k = labels[..., None]
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)  # the largest is now 0: exp cannot overflow
    e = xp.exp(shifted)
    onehot = xp.arange(logits.shape[-1], device=device(k)) == k
    others = xp.sum(xp.where(onehot, xp.zeros_like(e), e), axis=-1, keepdims=True)
    z_k, e_k = (xp.take_along_axis(a, k, axis=-1) for a in (shifted, e))
    value = xp.log1p(others + (e_k - 1)) - z_k  # = log(s) - z_k, and exact as well where p_k is nearly 1
    return Loss(value[..., 0], xp.where(onehot, -others, e) / (others + e_k))
