from ..core import Loss, array_namespace, contract, kept, number, real
from ._stable import product
from .ppo_clip import ppo_clip


@contract(
    log_p=real("..., T"),
    old_log_p=real("..., T"),
    advantage=real("..."),
    mask=kept("..., T"),
    low=number("[0, 1)"),
    high=number("[0, inf)"),
)
def gspo(log_p, old_log_p, advantage, mask, low=3e-4, high=4e-4) -> Loss:
    """GSPO, PPO's clipped objective once per response: its ratio is the geometric mean of those of its tokens.

    value = -min(s A, clip(s, 1 - low, 1 + high) A)        s = exp(sum_t w_t (log p_t - old log p_t)), A = advantage
    grad  = -s A w_t,  and 0 where clipped, as in ppo_clip          w = mask / sum(mask)

    log_p, old_log_p, mask: (..., T), tokens on the last axis, mask 1 for those of the response and 0 elsewhere, where
    nothing is read; advantage, value: (...), one per response, in units of A. s stays far nearer to 1 than the ratio
    of a token, hence bounds a thousand times closer. A response without a token costs 0; weigh it 0 in weighted_mean.
    Raises ValueError on other shapes, a mask outside [0, 1], another low or high, TypeError on integer log_p.
    PyTorch: none; ppo_clip's with ((log_p - old_log_p) * mask).sum(-1) / mask.sum(-1) for the log ratio.
    Source: Zheng et al. 2025; the bounds from its section 5.1.
    """
    xp = array_namespace(log_p, old_log_p, advantage)
    n = xp.sum(mask, axis=-1)
    w = mask / xp.where(n > 0, n, xp.ones_like(n))[..., None]
    log_ratio = xp.sum(product(w, log_p - old_log_p), axis=-1)
    value, slope = ppo_clip(log_ratio, xp.zeros_like(log_ratio), advantage, low, high)
    return Loss(xp.where(n > 0, value, xp.zeros_like(value)), product(w, slope[..., None]))
