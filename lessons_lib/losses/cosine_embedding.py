from typing import Any, NamedTuple

from ..core import Loss, array_namespace, contract, number, real, signs
from ._stable import positive_part

EPS = 1e-6  # PyTorch's: its square is added to each squared length


class CosineEmbeddingGrad(NamedTuple):
    first: Any
    second: Any


@contract(first=real("..., D"), second=real("..., D"), labels=signs("..."), margin=number("[-1, 1]"))
def cosine_embedding(first, second, labels, margin=0.0) -> Loss:
    """Cosine embedding loss of each pair of vectors: similar ones are turned together, others apart.

    value = 1 - c                  where y = +1 (similar)           c = u . v, the cosine, y = label
            max(0, c - margin)     where y = -1 (dissimilar)        u = a / |a|, |a| = sqrt(a . a + 1e-12)
    grad.first = s (v - c u) / |a|,  grad.second = s (u - c v) / |b|          a = first, b = second
    with s = -1 where y = +1; s = 1 where y = -1 and c > margin, else 0; at the kink c = margin: 0

    first, second: (..., D); labels: (...), integers +1 or -1; margin: in [-1, 1]; value: (...), no unit. The
    vectors' lengths do not matter. A zero vector has no direction: c = 0, and its gradient is 0.
    Raises TypeError on labels that are not integers, ValueError on other labels, other shapes or a margin
    outside [-1, 1].
    PyTorch: F.cosine_embedding_loss(first, second, labels, margin=..., reduction="none"); it pushes a zero
    vector with a gradient of length 1e6 (NaN in float16), and at the kink 2.13 gives s = 1.
    """
    xp = array_namespace(first, second)
    (u, short_u, turn_first), (v, short_v, turn_second) = _unit(xp, first), _unit(xp, second)
    c = xp.sum(u * v, axis=-1, keepdims=True)
    side = xp.round(c)  # c = side - bend; near 1 and -1 the bend has more digits: 2 (1 - c) = |u - v|^2 + ...
    between = xp.sum((u - side * v) ** 2, axis=-1, keepdims=True)
    bend = xp.where(side == 0, -c, side * (between + short_u + short_v) / 2)
    similar = labels[..., None] > 0
    apart, step = positive_part(side - margin - bend)
    value, s = xp.where(similar, 1 - side + bend, apart), xp.where(similar, -xp.ones_like(c), step)
    to_first, to_second = v - side * u + bend * u, u - side * v + bend * v  # v - c u, u - c v
    return Loss(value[..., 0], CosineEmbeddingGrad(turn_first(s * to_first), turn_second(s * to_second)))


def _unit(xp, a):
    """u = a / |a|, 1 - |u|^2, and x -> x / |a|: in units of a's largest number, so that no square leaves the dtype.

    x / |a| is 0 for a zero vector, where eps alone would make a gradient 1e6 long.
    """
    largest = xp.max(xp.abs(a), axis=-1, keepdims=True)
    unit = xp.clip(largest, min=EPS)
    norm = xp.sqrt(xp.sum((a / unit) ** 2, axis=-1, keepdims=True) + (EPS / unit) ** 2)
    short = (EPS / unit / norm) ** 2
    return a / unit / norm, short, lambda x: xp.where(largest > 0, x / norm / unit, xp.zeros_like(x))
