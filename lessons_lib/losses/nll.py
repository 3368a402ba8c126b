from ..core import Loss, array_namespace, classes, contract, device, real


@contract(log_p=real("..., C"), labels=classes("..."))
def nll(log_p, labels) -> Loss:
    """Negative log-likelihood of each example, from log-probabilities and the index of its class.

    value = -log_p_k              k = label
    grad  = -onehot(k)

    log_p: (..., C), classes on the last axis, not checked to sum to 1; labels: (...), integers in 0..C-1;
    value: (...), in nats. The gradient is the one by log_p; through a log-softmax it becomes that of cross_entropy.
    Raises TypeError on labels that are not integers, ValueError on other shapes or labels out of range.
    PyTorch: F.nll_loss(log_p, labels, reduction="none"), classes on axis 1; `weight` and `ignore_index` are
    `weighted_mean` here.
    Source: Good 1952 (logarithmic score).
    """
    xp = array_namespace(log_p, labels)
    k = labels[..., None]
    onehot = xp.arange(log_p.shape[-1], device=device(k)) == k
    return Loss(-xp.take_along_axis(log_p, k, axis=-1)[..., 0], -xp.astype(onehot, log_p.dtype))
