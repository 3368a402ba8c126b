from ..core import Loss, array_namespace, at_least_0, floating, in_float32
from ._stable import positive_part, signs


@in_float32
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
    floating(distance=distance)
    at_least_0(margin=margin)
    if bool(xp.any(distance < 0)):
        raise ValueError("distance must hold numbers >= 0")
    similar = signs(labels, distance) > 0
    gap, _ = positive_part(margin - distance)
    return Loss(xp.where(similar, distance, gap) ** 2 / 2, xp.where(similar, distance, -gap))
