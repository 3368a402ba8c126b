from ..core import Loss, array_namespace, classes, contract, number, optional, real
from ._stable import product
from .cross_entropy import cross_entropy


@contract(logits=real("..., C"), labels=classes("..."), gamma=number("[0, inf)"), alpha=optional(real("C", "[0, inf)")))
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
    value, grad = cross_entropy(logits, labels)
    q = -xp.expm1(-value)  # 1 - p, without the difference
    ratio = xp.where(q > 0, value / xp.where(q > 0, q, xp.ones_like(q)), xp.ones_like(q))  # -log(p) / (1 - p)
    weight = q**gamma * _per_example(xp, alpha, labels)
    slope = 1 + gamma * product(xp.exp(-value), ratio)
    return Loss(product(weight, value), weight[..., None] * (slope[..., None] * grad))


def _per_example(xp, alpha, labels):
    if alpha is None:
        return 1.0
    return xp.reshape(xp.take(alpha, xp.reshape(labels, (-1,))), labels.shape)
