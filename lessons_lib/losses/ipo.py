from ..core import Loss, contract, number, real
from ._preference import PreferenceGrad


@contract(chosen=real("N"), rejected=real("N"), ref_chosen=real("N"), ref_rejected=real("N"), beta=number("(0, inf)"))
def ipo(chosen, rejected, ref_chosen, ref_rejected, beta=0.1) -> Loss:
    """IPO loss of each pair of responses: the policy's lead over the reference is to be 1 / (2 beta), and no more.

    value         = (h - 1 / (2 beta))^2         h = (chosen - ref_chosen) - (rejected - ref_rejected)
    grad.chosen   = 2 (h - 1 / (2 beta))
    grad.rejected = -grad.chosen

    Arguments as in `dpo`; value: (N,), in nats squared, 1 / (4 beta^2) where policy = reference. Unlike DPO's the
    minimum is finite, so that pairs on which all agree do not drive the policy away. h grows with the length of the
    responses, its target does not: some trainers therefore take means per token (`mean_log_p`) instead of sums.
    -inf on both sides of a difference gives NaN.
    Raises ValueError on unequal shapes or another beta, TypeError on integers.
    PyTorch: F.mse_loss(h, torch.full_like(h, 1 / (2 * beta)), reduction="none").
    Source: Azar et al. 2023, equation 17, with beta for its tau.
    """
    r = (chosen - ref_chosen) - (rejected - ref_rejected) - 1 / (2 * beta)
    return Loss(r**2, PreferenceGrad(2 * r, -2 * r))
