from ..core import Loss, array_namespace, contract, real
from ._stable import product


@contract(log_p=real("..."), advantage=real("..."))
def reinforce(log_p, advantage) -> Loss:
    """REINFORCE of each sampled token: the negative log-likelihood, weighed by how much better than expected it went.

    value = -A log p                    A = advantage
    grad  = -A                          by log_p; its mean over samples is minus the gradient of the expected reward

    log_p: any shape, the log-probability of each token that was sampled, or a log-density, which may exceed 0;
    advantage: the same shape, fixed numbers; value: (...), in nats times the advantage. The value itself says nothing:
    it may rise while the policy learns. An advantage of 0 costs nothing, whatever log_p is.
    Raises ValueError on unequal shapes, TypeError on integer arrays.
    PyTorch: none; -(advantage * log_p), or -(advantage * Categorical(logits=...).log_prob(token)).
    Source: Williams 1992.
    """
    xp = array_namespace(log_p, advantage)
    return Loss(-product(advantage, log_p), xp.zeros_like(log_p) - advantage)
