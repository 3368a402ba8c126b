"""What the losses between a student's logits and a teacher's share."""

from ..core import array_namespace
from ._stable import all_but_largest, log_softmax, ratio


def log_probabilities(temperature, *logits):
    """log softmax(z / temperature) for each z, also where z / temperature alone is too large for the dtype."""
    xp = array_namespace(*logits)
    return [log_softmax(ratio(z, xp.max(z, axis=-1, keepdims=True), temperature)) for z in logits]


def log_ratio(log_p, log_q):
    """log(p / q), inf where only q is 0, and 0 where p is 0: there it is multiplied by p."""
    xp = array_namespace(log_p, log_q)
    log_p, log_q = (xp.where(xp.exp(log_p) > 0, a, xp.zeros_like(a)) for a in (log_p, log_q))
    return log_p - log_q


def centred(q, d):
    """q (d - sum_i q_i d_i), with d taken from the likeliest class first: no difference cancels where its q is 1."""
    xp = array_namespace(q, d)
    likeliest, _ = all_but_largest(q)
    d = d - xp.sum(xp.where(likeliest, d, xp.zeros_like(d)), axis=-1, keepdims=True)
    return q * (d - xp.sum(q * d, axis=-1, keepdims=True))
