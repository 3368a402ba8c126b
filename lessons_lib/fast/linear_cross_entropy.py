from typing import Any, NamedTuple

from ..core import Loss, array_namespace, classes, contract, device, optional, real, whole
from ..core.kinds import FLOAT, Array, Range
from ..losses import cross_entropy


class LinearGrad(NamedTuple):
    hidden: Any
    weight: Any


@contract(
    hidden=real("N, D"),
    weight=real("C, D"),
    labels=classes("N"),
    w=optional(Array("N", rf"{FLOAT}|int|bool", Range("[0, inf)"))),
    rows=whole("[1, inf)"),
)
def linear_cross_entropy(hidden, weight, labels, w=None, rows=256) -> Loss:
    """The mean cross-entropy of the logits hidden @ weight.T, which never stand in memory but for a few rows.

    value       = sum_n w_n ce_n / sum_n w_n                ce: cross_entropy of row n
    grad.hidden = S weight,  grad.weight = S^T hidden       S_n = w_n ce's gradient / sum(w)

    hidden: (N, D), weight: (C, D), labels: (N,), integers in 0..C-1; w: None for 1, or (N,), numbers >= 0, 0 to ignore
    a token; value: (), in nats, 0 where no weight is left. It is weighted_mean(cross_entropy(hidden @ weight.T,
    labels), w), with rows x C numbers at a time instead of N x C; half precision is computed in float32.
    Raises TypeError or ValueError on other shapes, labels out of range, negative w or rows < 1.
    PyTorch: F.linear_cross_entropy(hidden, weight, labels), since 2.13; before, cross_entropy of F.linear.
    Source: Wijmans et al. 2024.
    """
    xp = array_namespace(hidden, weight)
    w = xp.ones(labels.shape, dtype=hidden.dtype, device=device(hidden)) if w is None else w
    n = xp.sum(w)
    share = w / xp.where(n > 0, n, xp.ones_like(n))
    value, grad = xp.zeros_like(n), LinearGrad(xp.empty_like(hidden), xp.zeros_like(weight))
    length = hidden.shape[0]
    for part in (slice(i, min(i + rows, length)) for i in range(0, length, rows)):
        each, some = cross_entropy(hidden[part, :] @ weight.T, labels[part]), share[part] > 0
        value = value + xp.sum(share[part] * xp.where(some, each.value, xp.zeros_like(each.value)))
        slope = share[part][:, None] * xp.where(some[:, None], each.grad, xp.zeros_like(each.grad))
        grad.hidden[part, :] = slope @ weight
        grad.weight[...] += slope.T @ hidden[part, :]
    return Loss(value, grad)
