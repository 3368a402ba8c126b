from ..core import array_namespace, contract, flag, number, real
from ._stable import at_least_1


@contract(rewards=real("..., G"), scale=flag, eps=number("(0, inf)"))
def group_advantage(rewards, scale=True, eps=1e-4):
    """GRPO's advantage of each response: its reward less the group's mean, over the group's standard deviation.

    A = (r - mean) / (std + eps)            r = rewards, std^2 = sum (r - mean)^2 / (G - 1)
    A = r - mean                            scale=False: Dr. GRPO

    rewards: (..., G), the G >= 2 answers to one prompt on the last axis; A: the same shape. Equal rewards give exactly
    0: nothing to learn. `xp.broadcast_to(A[..., None], log_p.shape)` hands A to every token of its response.
    The paper does not say which std; TRL and verl divide by G - 1, as torch.std does.
    Raises ValueError on a group of one or eps that is not > 0, TypeError on integers.
    PyTorch: none; (r - r.mean(-1, keepdim=True)) / (r.std(-1, keepdim=True) + eps).
    Source: Shao et al. 2024; without std Liu et al. 2025.
    """
    xp = array_namespace(rewards)
    unit, r = _centred(rewards)
    if not scale:
        return r * unit
    variance = xp.sum(r**2, axis=-1, keepdims=True) / (rewards.shape[-1] - 1)
    return r / (xp.sqrt(variance) + eps / unit)


@contract(rewards=real("..., G"))
def leave_one_out_advantage(rewards):
    """RLOO's advantage of each response: its reward less the mean of the others in its group.

    A_i = r_i - sum_{j != i} r_j / (G - 1) = (r_i - mean) G / (G - 1)            r = rewards

    Unlike the mean of all, that of the others does not depend on response i, so the gradient keeps its mean.
    rewards: (..., G), G >= 2; A: the same shape. Raises ValueError on a group of one, TypeError on integers.
    PyTorch: none; r - (r.sum(-1, keepdim=True) - r) / (G - 1).
    Source: Kool, van Hoof and Welling 2019; for language models Ahmadian et al. 2024.
    """
    unit, r = _centred(rewards)
    n = rewards.shape[-1]
    return r * (n / (n - 1)) * unit


def _centred(rewards):
    """A unit in which no reward is large, and in it each less the group's mean: exactly 0 where all are equal."""
    xp = array_namespace(rewards)
    if rewards.shape[-1] < 2:
        raise ValueError(f"rewards must hold groups of at least 2, (..., G) with G >= 2, got {tuple(rewards.shape)}")
    unit = at_least_1(xp.abs(rewards))
    r = rewards / unit
    r = r - r[..., :1]
    return unit, r - xp.mean(r, axis=-1, keepdims=True)
