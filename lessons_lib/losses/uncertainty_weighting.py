from typing import Any, NamedTuple

from ..core import Loss, array_namespace, contract, real, spread
from ._stable import one_per_value, product


class UncertaintyGrad(NamedTuple):
    losses: Any
    log_variance: Any


@contract(losses=real("..., K"), log_variance=spread("(-inf, inf)"))
def uncertainty_weighting(losses, log_variance) -> Loss:
    """One loss from K tasks: each divided by a variance that is learned, with its logarithm as the price.

    value             = sum_k exp(-s_k) L_k + s_k           L = losses, s = log_variance
    grad.losses       = exp(-s)
    grad.log_variance = 1 - exp(-s) L                       0 at s = log L: then every task counts 1

    This is twice the paper's (exp(-s) L + s) / 2 for a squared error L; for a cross-entropy the paper has
    exp(-s) L + s / 2, which is this with L doubled, halved. A task whose L falls to 0 pulls s to -inf.
    losses: (..., K); log_variance: (K,) for tasks that share theirs over the batch, or what else broadcasts to losses;
    value: (...). grad.log_variance is shaped like losses: where examples share an s, sum it over them.
    Raises ValueError on other shapes, NaN or infinite log_variance, TypeError on integers.
    PyTorch: none; (torch.exp(-s) * losses + s).sum(-1).
    Source: Kendall, Gal and Cipolla 2018.
    """
    xp = array_namespace(losses)
    (s,) = one_per_value(losses, log_variance)
    weighed, quarter = losses, xp.exp(-s / 4)
    for _ in range(4):  # exp(-s) alone may be too large for the dtype where exp(-s) L is not
        weighed = product(weighed, quarter)
    n = 2.0 ** losses.shape[-1].bit_length()  # so that no part of the sum is too large
    return Loss(xp.sum(weighed / n + s / n, axis=-1) * n, UncertaintyGrad(xp.exp(-s), 1 - weighed))
