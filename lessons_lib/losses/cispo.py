from ..core import Loss, array_namespace, contract, number, real
from ._stable import product


@contract(
    log_p=real("..."), old_log_p=real("..."), advantage=real("..."), low=number("[0, 1]"), high=number("[0, inf)")
)
def cispo(log_p, old_log_p, advantage, low=1.0, high=4.0) -> Loss:
    """CISPO of each sampled token: REINFORCE with a clipped importance weight, so that every token keeps a gradient.

    value = -w A log p                  w = clip(exp(log p - old log p), 1 - low, 1 + high), A = advantage
    grad  = -w A                        not the slope of the value: w is held fixed (stop-gradient)

    log_p, old_log_p, advantage: any shape, the same; value: (...), in nats times A. Inside the bounds the gradient is
    that of ppo_clip, beyond them w A instead of 0. low = 1 is no lower bound, the paper's choice.
    Raises ValueError on unequal shapes, low outside [0, 1] or high < 0, TypeError on integer arrays.
    PyTorch: none; -(r.clamp(1 - low, 1 + high).detach() * advantage * log_p). TRL's epsilon_high is 1 + high here.
    Source: MiniMax 2025 (MiniMax-M1).
    """
    xp = array_namespace(log_p, old_log_p, advantage)
    w = xp.clip(xp.exp(log_p - old_log_p), 1 - low, 1 + high)
    each = product(advantage, log_p)
    each = xp.where(xp.abs(each) < xp.inf, w * each, advantage * product(w, log_p))
    return Loss(-each, -w * advantage)
