from ..core import Loss, array_namespace, contract, device, float_type, integers, labels_below, number, real, whole
from ._stable import all_but_largest, at_least_1, log_softmax, times_difference


@contract(logits=real("..., C"), target=real("..., C", "[0, inf)"))
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
    unit = at_least_1(target)
    y, log_p = target / unit, log_softmax(logits)
    largest, rest = all_but_largest(y)
    total = xp.sum(y, axis=-1, keepdims=True)
    behind = times_difference(y, xp.max(logits, axis=-1, keepdims=True), logits)
    value = xp.sum(behind, axis=-1) - xp.max(log_p, axis=-1) * total[..., 0]  # -log p = (largest z) - z - largest log p
    grad = xp.exp(log_p) * xp.where(largest, rest, total - y) + y * xp.expm1(log_p)  # p (total - y) + y (p - 1)
    return Loss(value * unit[..., 0], grad * unit)


@contract(labels=integers("..."), classes=whole("[1, inf)"), epsilon=number("[0, 1]"), dtype=float_type)
def smooth_labels(labels, classes, epsilon, dtype=None):
    """The smoothed target (1 - epsilon) onehot(k) + epsilon / C of each label k, shaped (..., classes).

    dtype: a floating point type, float64 if None. Raises ValueError on labels outside 0..classes-1, also on one that
    marks a row to ignore (weigh that row 0), and unless 0 <= epsilon <= 1; TypeError on labels that are not integers.
    PyTorch: F.cross_entropy(label_smoothing=epsilon).
    Source: Szegedy et al. 2016, section 7.
    """
    xp = array_namespace(labels)
    labels_below(classes, labels)
    onehot = xp.arange(classes, device=device(labels)) == labels[..., None]
    smoothed = (1 - epsilon) * xp.astype(onehot, xp.float64) + epsilon / classes
    return xp.astype(smoothed, dtype or xp.float64)
