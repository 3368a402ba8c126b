from ..core import Loss, array_namespace, device, floating, in_float32, same_shape
from ._stable import log_softmax


@in_float32
def soft_cross_entropy(logits, target) -> Loss:
    """Cross-entropy of each example, from its logits and a whole target distribution.

    value = -sum_i y_i log p_i          p = softmax(z), z = logits, y = target
    grad  = p sum_i y_i - y             = p - y  where y sums to 1

    logits, target: (..., C), classes on the last axis, target >= 0; value: (...), in nats. Its minimum
    over the logits is the entropy of y, not 0. A class with y_i = 0 adds nothing, even at p_i = 0.
    Raises ValueError on unequal shapes or a negative or NaN target, TypeError on integer arrays.
    PyTorch: F.cross_entropy(logits, target, reduction="none"), which wants the classes on axis 1.
    Source: Good 1952; with softmax Bridle 1990.
    """
    xp = array_namespace(logits, target)
    floating(logits=logits, target=target)
    same_shape(logits=logits, target=target)
    if not bool(xp.all(target >= 0)):
        raise ValueError("target must hold probabilities >= 0 and no NaN")
    log_p = log_softmax(logits)
    asked = xp.where(target > 0, log_p, xp.zeros_like(log_p))  # 0 * -inf is NaN, and must be 0
    value = -xp.sum(target * asked, axis=-1)
    return Loss(value, xp.exp(log_p) * xp.sum(target, axis=-1, keepdims=True) - target)


def smooth_labels(labels, classes, epsilon, dtype=None):
    """The smoothed target (1 - epsilon) onehot(k) + epsilon / C of each label k, shaped (..., classes).

    Raises ValueError unless 0 <= epsilon <= 1. PyTorch: F.cross_entropy(label_smoothing=epsilon).
    Source: Szegedy et al. 2016, section 7.
    """
    xp = array_namespace(labels)
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon={epsilon} is not allowed; it must lie in [0, 1]")
    onehot = xp.arange(classes, device=device(labels)) == xp.astype(labels, xp.int64)[..., None]
    return (1 - epsilon) * xp.astype(onehot, dtype or xp.float64) + epsilon / classes
