from ..core import Loss, contract, number, real
from ._preference import PreferenceGrad, implicit_lead
from ._stable import one_per_value, product, sigmoid, softplus


@contract(
    chosen=real("N"),
    rejected=real("N"),
    ref_chosen=real("N"),
    ref_rejected=real("N"),
    beta=number("(0, inf)"),
    label_smoothing=number("[0, 0.5)"),
)
def dpo(chosen, rejected, ref_chosen, ref_rejected, beta=0.1, label_smoothing=0.0) -> Loss:
    """DPO loss of each pair of responses: Bradley-Terry on the rewards beta log(policy / reference).

    value         = (1 - e) softplus(-z) + e softplus(z)                      e = label_smoothing
    grad.chosen   = beta (e sigmoid(z) - (1 - e) sigmoid(-z)),  grad.rejected = -grad.chosen
    z             = beta ((chosen - ref_chosen) - (rejected - ref_rejected))

    All four: (N,), log-probabilities of whole responses, sums over their tokens (`sequence_log_p`), under the policy
    and the frozen reference; value: (N,), in nats. Where policy = reference it is log 2, and the gradient is not 0.
    e in [0, 0.5), the share of flipped labels, is cDPO: z has its minimum at log((1 - e) / e), and no more at inf.
    chosen = -inf costs inf, with gradient -beta (1 - e); -inf on both sides of a difference gives NaN.
    Raises ValueError on unequal shapes or another beta or e, TypeError on integers.
    PyTorch: F.binary_cross_entropy_with_logits(z, torch.full_like(z, 1 - e), reduction="none").
    Source: Rafailov et al. 2023, equation 7; the smoothing Mitchell 2023 (cDPO), equation 3.
    """
    z = implicit_lead(chosen, rejected, ref_chosen, ref_rejected, beta)
    (e,) = one_per_value(z, label_smoothing)
    slope = beta * (e * sigmoid(z) - (1 - e) * sigmoid(-z))
    return Loss((1 - e) * softplus(-z) + product(e, softplus(z)), PreferenceGrad(slope, -slope))
