from typing import Any, NamedTuple

from ..core import Loss, contract, number, real, signs
from ._stable import positive_part


class MarginRankingGrad(NamedTuple):
    first: Any
    second: Any


@contract(first=real("..."), second=real("..."), labels=signs("..."), margin=number("[0, inf)"))
def margin_ranking(first, second, labels, margin=0.0) -> Loss:
    """Margin ranking loss of each pair of scores: the one that should rank higher leads by a margin.

    value       = max(0, margin - y (a - b))                a = first, b = second, y = label
    grad.first  = -y  where y (a - b) < margin, else 0      at the kink y (a - b) = margin: 0
    grad.second = -grad.first

    first, second: (...); labels: (...), integers, +1 where first should be higher, -1 where second should;
    value: (...), in units of the scores. At the default margin a tie costs nothing and moves nothing.
    Raises TypeError on labels that are not integers, ValueError on other labels, other shapes or margin < 0.
    PyTorch: F.margin_ranking_loss(first, second, labels, margin=..., reduction="none"); at the kink 2.13
    gives -y for the first.
    Source: Herbrich, Graepel and Obermayer 2000 (hinge on pairs).
    """
    y = labels
    value, step = positive_part(margin - y * (first - second))
    return Loss(value, MarginRankingGrad(-y * step, y * step))
