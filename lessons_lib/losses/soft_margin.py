from ..core import Loss, contract, real, signs
from ._stable import sigmoid, softplus


@contract(score=real("..."), labels=signs("..."))
def soft_margin(score, labels) -> Loss:
    """Soft margin (logistic) loss of each score: a hinge with its corner rounded off.

    value = log(1 + exp(-y s))         s = score, y = label
    grad  = -y sigmoid(-y s)

    score: (...), a logit; labels: (...), integers +1 or -1; value: (...), in nats. It is binary cross-entropy
    with labels +1 and -1 in place of 1 and 0.
    Raises TypeError on labels that are not integers, ValueError on other labels or other shapes.
    PyTorch: F.soft_margin_loss(score, labels, reduction="none"), which computes exp(-y s) as it stands:
    inf, with a NaN gradient, where y s is below about -88 in float32. Here: -y s, with gradient -y.
    Source: Cox 1958 (logistic form); Friedman, Hastie and Tibshirani 2000 (as a function of the margin y s).
    """
    y = labels
    return Loss(softplus(-y * score), -y * sigmoid(-y * score))
