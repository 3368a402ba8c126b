from ..core import Loss, contract, real, spread
from ._stable import product, sigmoid, softplus


@contract(logits=real("..."), target=real("...", "[0, 1]"), pos_weight=spread("[0, inf)"))
def binary_cross_entropy(logits, target, pos_weight=1.0) -> Loss:
    """Binary cross-entropy of each label, from its logit.

    value = -w y log(sigmoid(z)) - (1 - y) log(1 - sigmoid(z))     z = logits, y = target, w = pos_weight
    grad  = -w y (1 - sigmoid(z)) + (1 - y) sigmoid(z)             = sigmoid(z) - y  at w = 1

    logits, target: (...), target in [0, 1] (a probability is allowed); pos_weight: a finite number >= 0, or
    an array of them that broadcasts to the logits without enlarging them; value: (...), in nats.
    Raises ValueError on other shapes, a target outside [0, 1] or another pos_weight, TypeError on integer arrays.
    PyTorch: F.binary_cross_entropy_with_logits(logits, target, pos_weight=..., reduction="none").
    Source: Good 1952 (logarithmic score); Cox 1958 (logistic form).
    """
    # log(sigmoid(z)) = -softplus(-z) and 1 - sigmoid(z) = sigmoid(-z): no difference of near-equal numbers
    yes, no = pos_weight * target, 1 - target
    value = product(yes, softplus(-logits)) + product(no, softplus(logits))
    grad = no * sigmoid(logits) - yes * sigmoid(-logits)
    return Loss(value, grad)
