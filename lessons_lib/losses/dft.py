from ..core import Loss, array_namespace, classes, contract, real
from ._stable import product
from .cross_entropy import cross_entropy


@contract(logits=real("..., C"), labels=classes("..."))
def dft(logits, labels) -> Loss:
    """Dynamic fine-tuning: cross-entropy times the probability of its own label, which is taken as a constant.

    value = -p_k log p_k                p = softmax(z), z = logits, k = label
    grad  = p_k (p - onehot(k))         NOT the slope of the value: p_k in front is held constant (a stop-gradient)

    The slope of the value would be p_k (1 + log p_k) (p - onehot(k)) and would push labels below p_k = 1/e down. The
    gradient given is the slope of 1 - p_k: labels that the model finds impossible hardly pull. The value is only what
    is reported; it also falls where p_k falls towards 0, so that it is no measure of progress.
    Shapes, units and errors as in cross_entropy.
    PyTorch: none; loss = F.cross_entropy(logits, labels, reduction="none"), then (-loss).exp().detach() * loss.
    Source: Wu et al. 2025; the loss "dft" of TRL's SFTTrainer.
    """
    xp = array_namespace(logits, labels)
    value, grad = cross_entropy(logits, labels)
    p = xp.exp(-value)
    return Loss(product(p, value), p[..., None] * grad)
