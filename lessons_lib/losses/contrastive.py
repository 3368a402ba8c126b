from ..core import Loss, array_namespace, contract, number, real, signs
from ._stable import positive_part


@contract(distance=real("...", "[0, inf]", nan=True), labels=signs("..."), margin=number("[0, inf)"))
def contrastive(distance, labels, margin=1.0) -> Loss:
    """Contrastive loss of each distance: a spring draws similar pairs together, another holds others apart.

    value = d^2 / 2                       where y = +1 (similar)         d = distance, y = label
            max(0, margin - d)^2 / 2      where y = -1 (dissimilar)
    grad  = d  where y = +1;  -max(0, margin - d)  where y = -1

    distance: (...), >= 0; labels: (...), integers +1 or -1; value: (...), in the distance's unit squared. No
    kink at d = margin: the slope reaches 0 there. The paper labels similar pairs 0 and the others 1.
    Raises TypeError on labels that are not integers, ValueError on other labels, other shapes, a negative
    distance or margin < 0.
    PyTorch: none; F.hinge_embedding_loss is its form without squares.
    Source: Hadsell, Chopra and LeCun 2006, equation 4.
    """
    xp = array_namespace(distance, labels)
    similar = labels > 0
    gap, _ = positive_part(margin - distance)
    grad = xp.where(similar, distance, -gap)
    return Loss(grad * (grad / 2), grad)
