from ..core import Loss, array_namespace, device, floating, in_float32


@in_float32
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
    floating(log_p=log_p)
    if not xp.isdtype(labels.dtype, "integral"):
        raise TypeError(f"labels must be integers, got dtype {labels.dtype}")
    if log_p.ndim < 1 or log_p.shape[-1] < 1 or tuple(labels.shape) != tuple(log_p.shape[:-1]):
        raise ValueError(f"log_p must be (..., C) and labels (...), got {tuple(log_p.shape)}, {tuple(labels.shape)}")
    if not bool(xp.all((labels >= 0) & (labels < log_p.shape[-1]))):
        raise ValueError(f"labels must lie in 0..{log_p.shape[-1] - 1}; to ignore some, weigh them 0 in weighted_mean")
    k = xp.astype(labels, xp.int64)[..., None]
    onehot = xp.arange(log_p.shape[-1], device=device(k)) == k
    return Loss(-xp.take_along_axis(log_p, k, axis=-1)[..., 0], -xp.astype(onehot, log_p.dtype))
