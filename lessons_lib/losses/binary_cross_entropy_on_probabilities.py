from ..core import Loss, array_namespace, contract, real


@contract(p=real("...", "[0, 1]"), target=real("...", "[0, 1]"))
def binary_cross_entropy_on_probabilities(p, target) -> Loss:
    """Binary cross-entropy of each label, from a probability: as PyTorch's BCELoss computes it, for comparison.

    value = -y max(log p, -100) - (1 - y) max(log(1 - p), -100)            y = target
    grad  = (p - y) / max(p (1 - p), 1e-12)                                by p

    The clamp hides log 0, and the floor hides 1 / 0: after a sigmoid that has rounded to 0 or 1 the slope
    is lost. Train with `binary_cross_entropy`, on logits.
    p, target: (...), both in [0, 1]; value: (...), in nats. Raises ValueError on other shapes or numbers, TypeError
    on integers.
    PyTorch: F.binary_cross_entropy(p, target, reduction="none").
    Source: Good 1952 (logarithmic score); the clamp and the floor are PyTorch's.
    """
    xp = array_namespace(p, target)

    zero, some, sure = xp.zeros_like(p), p > 0, p == 1
    log_p = xp.where(some, xp.clip(xp.log(xp.where(some, p, zero + 1)), min=-100.0), zero - 100)
    log_not_p = xp.where(sure, zero - 100, xp.log1p(-xp.where(sure, zero, p)))  # log(1 - p), without the difference
    value = -target * log_p - (1 - target) * log_not_p
    return Loss(value, (p - target) / xp.clip(p * (1 - p), min=1e-12))
