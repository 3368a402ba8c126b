from ..core import Loss, array_namespace, contract, real


@contract(log_p=real("..."), ref_log_p=real("..."))
def kl_penalty(log_p, ref_log_p) -> Loss:
    """The KL divergence from a reference policy, estimated at each sampled token: Schulman's k3, never negative.

    value = exp(d) - d - 1              d = ref log p - log p
    grad  = 1 - exp(d)

    log_p, ref_log_p: any shape, the same, of tokens sampled from the policy itself; value: (...), in nats. Its mean
    over such samples is KL(policy || reference); -d alone (k1) has that mean too and varies more, d^2 / 2 (k2) has
    another. The mean of the gradient is not that of the KL, but k2's is. From d = 89 on, 12 in float16, it is inf.
    Raises ValueError on unequal shapes, TypeError on integer arrays.
    PyTorch: none; (ref_log_p - log_p).exp() - (ref_log_p - log_p) - 1.
    Source: Schulman 2020, "Approximating KL Divergence"; in a loss Shao et al. 2024 (GRPO).
    """
    xp = array_namespace(log_p, ref_log_p)
    d = ref_log_p - log_p
    return Loss(xp.where(xp.abs(d) < 1, _series(xp.clip(d, -1, 1)), xp.expm1(d) - d), -xp.expm1(d))


def _series(d):
    """d^2/2! + d^3/3! + ..., for |d| <= 1: near 0 the difference exp(d) - d - 1 would leave no digit."""
    tail = 0 * d
    for k in range(19, 2, -1):
        tail = (1 + tail) * d / k
    return (1 + tail) * d / 2 * d
