from ..core import Loss, array_namespace, contract, number, real
from ._stable import product


@contract(
    log_p=real("..."), old_log_p=real("..."), advantage=real("..."), low=number("[0, 1)"), high=number("[0, inf)")
)
def ppo_clip(log_p, old_log_p, advantage, low=0.2, high=0.2) -> Loss:
    """PPO's clipped objective of each sampled token: no reward for moving further than a bound from the old policy.

    value = -min(r A, clip(r, 1 - low, 1 + high) A)        r = exp(log p - old log p), A = advantage
    grad  = -r A,  and 0 where clipped: r >= 1 + high for A > 0, r <= 1 - low else; so at the kink 0 as well

    log_p, old_log_p, advantage: any shape, the same; value: (...), in units of A. A loss of r (A < 0) has no upper
    bound: where r passes the largest number, value and gradient are inf, never NaN, and 0 at A = 0. GRPO has
    group_advantage for A; DAPO's clip-higher is high=0.28. The averages are weights: `weighted_mean(loss, mask)` over
    all tokens (DAPO), with mask / max(tokens, 1) of responses (GRPO); `mean`, A = 0 where masked (Dr. GRPO).
    Raises ValueError on unequal shapes or another low or high, TypeError on integer arrays.
    PyTorch: none; -torch.min(r * A, r.clamp(1 - low, 1 + high) * A), at the kink 2.13 gives -r A, 2.15 half of it.
    Source: Schulman et al. 2017; two bounds Yu et al. 2025 (DAPO).
    """
    xp = array_namespace(log_p, old_log_p, advantage)
    ratio = xp.exp(log_p - old_log_p)
    up = advantage > 0
    clipped = (up & (ratio >= 1 + high)) | (~up & (ratio <= 1 - low))
    bound = xp.where(up, xp.full_like(ratio, 1 + high), xp.full_like(ratio, 1 - low))
    grad = -product(advantage, ratio)
    return Loss(xp.where(clipped, -advantage * bound, grad), xp.where(clipped, xp.zeros_like(grad), grad))
