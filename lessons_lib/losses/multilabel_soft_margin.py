from ..core import Loss, array_namespace, contract, real, spread
from ._stable import product, sigmoid, softplus


@contract(logits=real("..., C"), target=real("..., C", "[0, 1]"), weight=spread("[0, inf)"))
def multilabel_soft_margin(logits, target, weight=1.0) -> Loss:
    """Multi-label logistic loss of each example: a yes or no for every class, averaged over the classes.

    value  = (1/C) sum_i w_i (y_i softplus(-z_i) + (1 - y_i) softplus(z_i))      z = logits, y = target
    grad_i = (w_i / C) ((1 - y_i) sigmoid(z_i) - y_i sigmoid(-z_i))              w = weight

    logits, target: (..., C), classes on the last axis, target in [0, 1], 1 where the class applies; weight: a
    finite number >= 0, or one per class or value; value: (...), in nats per class. The divisor is C, whatever the
    weights sum to.
    Raises ValueError on other shapes, a target outside [0, 1] or another weight, TypeError on integer arrays.
    PyTorch: F.multilabel_soft_margin_loss(logits, target, weight=..., reduction="none").
    Source: Cox 1958 (logistic form).
    """
    xp = array_namespace(logits, target)
    share = weight / logits.shape[-1]
    yes, no = share * target, share * (1 - target)
    each = product(yes, softplus(-logits)) + product(no, softplus(logits))
    return Loss(xp.sum(each, axis=-1), no * sigmoid(logits) - yes * sigmoid(-logits))
