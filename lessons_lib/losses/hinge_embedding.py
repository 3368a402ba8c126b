from ..core import Loss, array_namespace, contract, number, real, signs
from ._stable import positive_part


@contract(distance=real("..."), labels=signs("..."), margin=number("[0, inf)"))
def hinge_embedding(distance, labels, margin=1.0) -> Loss:
    """Hinge embedding loss of each distance: similar pairs are drawn together, others pushed past a margin.

    value = d                      where y = +1 (similar)         d = distance, y = label
            max(0, margin - d)     where y = -1 (dissimilar)
    grad  = 1  where y = +1;  -1  where y = -1 and d < margin, else 0;  at the kink d = margin: 0

    distance: (...), usually >= 0, which is not checked; labels: (...), integers +1 or -1; value: (...), in
    units of the distance.
    Raises TypeError on labels that are not integers, ValueError on other labels, other shapes or margin < 0.
    PyTorch: F.hinge_embedding_loss(distance, labels, margin=..., reduction="none"); at the kink 2.13 gives -1.
    """
    xp = array_namespace(distance, labels)
    similar = labels > 0
    push, step = positive_part(margin - distance)
    return Loss(xp.where(similar, distance, push), xp.where(similar, xp.ones_like(step), -step))
