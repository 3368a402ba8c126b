from ..core import Loss, contract, number, real, signs
from ._stable import positive_part


@contract(score=real("..."), labels=signs("..."), margin=number("[0, inf)"))
def hinge(score, labels, margin=1.0) -> Loss:
    """Hinge loss of each score: nothing for the right sign by a margin, then it grows in a straight line.

    value = max(0, margin - y s)                 s = score, y = label
    grad  = -y  where y s < margin, else 0       at the kink y s = margin: 0

    score: (...), any real number; labels: (...), integers +1 or -1; value: (...), in units of the score.
    Raises TypeError on labels that are not integers, ValueError on other labels, other shapes or margin < 0.
    PyTorch: none by this name; F.margin_ranking_loss(score, zeros, labels, margin=..., reduction="none").
    Source: Cortes and Vapnik 1995 (the slack of a soft margin).
    """
    y = labels
    value, step = positive_part(margin - y * score)
    return Loss(value, -y * step)
