from ..core import Loss, array_namespace, floating, in_float32, same_shape


@in_float32
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
    floating(p=p, target=target)
    same_shape(p=p, target=target)
    for name, a in (("p", p), ("target", target)):
        if not bool(xp.all((a >= 0) & (a <= 1))):
            raise ValueError(f"{name} must lie in [0, 1] and hold no NaN")

    def log(a):
        return xp.where(a > 0, xp.clip(xp.log(xp.where(a > 0, a, xp.ones_like(a))), min=-100.0), -100 * xp.ones_like(a))

    value = -target * log(p) - (1 - target) * log(1 - p)
    return Loss(value, (p - target) / xp.clip(p * (1 - p), min=1e-12))
