from ..core import Loss, array_namespace, floating, in_float32, same_shape
from ._stable import sigmoid, softplus


@in_float32
def multilabel_soft_margin(logits, target, weight=1.0) -> Loss:
    """Multi-label logistic loss of each example: a yes or no for every class, averaged over the classes.

    value  = (1/C) sum_i w_i (y_i softplus(-z_i) + (1 - y_i) softplus(z_i))      z = logits, y = target
    grad_i = (w_i / C) ((1 - y_i) sigmoid(z_i) - y_i sigmoid(-z_i))              w = weight

    logits, target: (..., C), classes on the last axis, target in [0, 1], 1 where the class applies; weight: a
    number or one per class; value: (...), in nats per class. The divisor is C, whatever the weights sum to.
    Raises ValueError on unequal shapes or a target outside [0, 1], TypeError on integer arrays.
    PyTorch: F.multilabel_soft_margin_loss(logits, target, weight=..., reduction="none").
    Source: Cox 1958 (logistic form).
    """
    xp = array_namespace(logits, target)
    floating(logits=logits, target=target)
    same_shape(logits=logits, target=target)
    if logits.ndim < 1 or logits.shape[-1] < 1:
        raise ValueError(f"logits must be (..., C) with at least one class, got {tuple(logits.shape)}")
    if not bool(xp.all((target >= 0) & (target <= 1))):
        raise ValueError("target must lie in [0, 1] and hold no NaN")
    yes, no = weight * target, weight * (1 - target)
    each = yes * softplus(-logits) + no * softplus(logits)
    grad = (no * sigmoid(logits) - yes * sigmoid(-logits)) / logits.shape[-1]
    return Loss(xp.mean(each, axis=-1), grad)
