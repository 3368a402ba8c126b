import math

from ..core import Loss, array_namespace, at_least_0, floating, in_float32
from .cross_entropy import cross_entropy


@in_float32
def focal(logits, labels, gamma=2.0, alpha=None) -> Loss:
    """Focal loss of each example: cross-entropy, turned down where the class is already likely.

    value = -a (1 - p)^gamma log p                                 p = softmax(z)_k, k = label, a = alpha_k
    grad  = a (1 - p)^gamma (1 - gamma p log(p) / (1 - p)) (softmax(z) - onehot(k))

    logits z: (..., C), classes on the last axis; labels: (...), integers in 0..C-1; gamma: a number >= 0, at 0 it is
    cross_entropy; alpha: None for 1, or (C,), one weight >= 0 per class; value: (...), in nats times alpha.
    Raises ValueError on another gamma or alpha, the rest as cross_entropy.
    PyTorch: none (torchvision's sigmoid_focal_loss is the one for a single logit).
    Source: Lin, Goyal, Girshick, He and Dollar 2017.
    """
    xp = array_namespace(logits, labels)
    at_least_0(gamma=gamma)
    value, grad = cross_entropy(logits, labels)
    q = -xp.expm1(-value)  # 1 - p, without the difference
    ratio = xp.where(q > 0, value / xp.where(q > 0, q, xp.ones_like(q)), xp.ones_like(q))  # -log(p) / (1 - p)
    weight = q**gamma * _per_example(xp, alpha, logits, labels)
    return Loss(weight * value, (weight * (1 + gamma * (1 - q) * ratio))[..., None] * grad)


def _per_example(xp, alpha, logits, labels):
    if alpha is None:
        return 1.0
    floating(alpha=alpha)
    if tuple(alpha.shape) != tuple(logits.shape[-1:]) or not bool(xp.all((alpha >= 0) & (alpha < math.inf))):
        raise ValueError(f"alpha must hold {logits.shape[-1]} finite weights >= 0, one per class, got {alpha}")
    flat = xp.take(xp.astype(alpha, logits.dtype), xp.reshape(xp.astype(labels, xp.int64), (-1,)))
    return xp.reshape(flat, labels.shape)
