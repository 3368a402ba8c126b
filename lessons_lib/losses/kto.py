from ..core import Loss, array_namespace, contract, number, real, signs
from ._stable import one_per_value, sigmoid


@contract(
    log_p=real("N"),
    ref_log_p=real("N"),
    labels=signs("N"),
    baseline=number("[0, inf)"),
    beta=number("(0, inf)"),
    desirable_weight=number("[0, inf)"),
    undesirable_weight=number("[0, inf)"),
)
def kto(log_p, ref_log_p, labels, baseline, beta=0.1, desirable_weight=1.0, undesirable_weight=1.0) -> Loss:
    """KTO loss of each response, desirable or not, without a pair: how far its reward is from a gain.

    value = w sigmoid(-z)                          z = y beta (log_p - ref_log_p - baseline), y = label
    grad  = -y beta w sigmoid(z) sigmoid(-z)       w = desirable_weight where y = +1, else undesirable_weight

    log_p, ref_log_p: (N,), log-probabilities of whole responses under policy and reference; labels: (N,), integers,
    +1 desirable, -1 undesirable; value: (N,), no unit, between 0 and w. baseline: z_0 >= 0, the batch's estimate of
    KL(policy || reference): max(0, mean of log_p - ref_log_p over prompts with other prompts' responses); a number,
    through which no gradient flows. Far from it on either side, also at -inf, the gradient is 0.
    Raises ValueError on other labels, shapes or options, TypeError on labels that are not integers.
    PyTorch: none; w * (1 - torch.sigmoid(z)).
    Source: Ethayarajh et al. 2024.
    """
    xp = array_namespace(log_p, ref_log_p)
    z = labels * beta * (log_p - ref_log_p - baseline)
    value = xp.where(labels > 0, *one_per_value(log_p, desirable_weight, undesirable_weight)) * sigmoid(-z)
    return Loss(value, -labels * beta * value * sigmoid(z))
