from typing import Any, NamedTuple

from ..core import Loss, array_namespace, floating, in_float32, same_shape
from ._stable import positive_part, signs

EPS = 1e-12  # PyTorch's, added to each squared length


class CosineEmbeddingGrad(NamedTuple):
    first: Any
    second: Any


@in_float32
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
    _check(first, second, margin)
    a, b = _length(xp, first), _length(xp, second)
    u, v = first / a, second / b
    c = xp.sum(u * v, axis=-1, keepdims=True)
    similar = signs(labels, c[..., 0])[..., None] > 0
    apart, step = positive_part(c - margin)
    value, s = xp.where(similar, 1 - c, apart), xp.where(similar, -xp.ones_like(c), step)
    grad = CosineEmbeddingGrad(_turned(xp, first, s * (v - c * u) / a), _turned(xp, second, s * (u - c * v) / b))
    return Loss(value[..., 0], grad)


def _length(xp, a):
    return xp.sqrt(xp.sum(a * a, axis=-1, keepdims=True) + EPS)


def _turned(xp, a, grad):
    """The gradient, and 0 for a zero vector, where eps alone would make it 1e6 long."""
    return xp.where(xp.any(a != 0, axis=-1, keepdims=True), grad, xp.zeros_like(grad))


def _check(first, second, margin) -> None:
    floating(first=first, second=second)
    same_shape(first=first, second=second)
    if first.ndim < 1:
        raise ValueError("first and second must be (..., D), got ()")
    if not -1 <= margin <= 1:
        raise ValueError(f"margin={margin} is not allowed; it must lie in [-1, 1]")
