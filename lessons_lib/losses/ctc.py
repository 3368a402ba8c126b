from ..core import Loss, array_namespace, contract, device, integers, real, whole
from ._stable import log_softmax


@contract(
    logits=real("N, T, C"),
    labels=integers("N, S"),
    steps=integers("N", "[1, T]"),
    lengths=integers("N", "[0, S]"),
    blank=whole("[0, C)"),
)
def ctc(logits, labels, steps, lengths, blank=0) -> Loss:
    """Connectionist temporal classification: how badly a sequence of predictions spells a shorter sequence of labels.

    A path names one class per step; it spells what is left when repeats are merged and then blanks dropped.
    value = -log sum over the paths that spell the labels of prod_t p_t,path(t)       p = softmax(z)
    grad  = p - s           s_tc = the share of that sum whose paths are at class c in step t

    logits z: (N, T, C); labels: (N, S), integers in 0..C-1 other than blank; steps in 1..T and lengths in 0..S: (N,),
    integers, how many steps and labels of each example count; value: (N,), in nats. Past an example's steps the
    gradient is 0. Where no path spells the labels (too few steps), the value is inf and the gradient 0. Integers of any
    width will do, and a batch may be empty, N = 0.
    Raises TypeError on labels, steps or lengths that are not integers, ValueError on other shapes or numbers.
    PyTorch: F.ctc_loss(log_softmax(z, -1).movedim(0, 1), labels, steps, lengths, reduction="none"). Its "mean" first
    divides each value by its length; zero_infinity is a `weighted_mean` here; what it calls the gradient by the
    log-probabilities is the one by the logits.
    Source: Graves, Fernandez, Gomez, Schmidhuber 2006.
    """
    xp = array_namespace(logits, labels, steps, lengths)
    _check_labels(xp, labels, lengths, logits.shape[-1], blank)
    states, skip = _states(xp, labels, lengths, blank)
    log_p = log_softmax(logits)
    index = xp.broadcast_to(states[:, None, :], (*log_p.shape[:2], states.shape[1]))
    log_e = xp.take_along_axis(log_p, index, axis=-1)  # (N, T, 2 S + 1), like all below
    counts = (xp.arange(log_p.shape[1], device=device(steps)) < steps[:, None])[..., None]
    before, after, log_sum = _paths(xp, log_e, counts, skip, 2 * lengths[:, None])

    possible = (log_sum > -xp.inf)[:, None, :]
    share = xp.exp(log_softmax(xp.where(possible, before + after, xp.zeros_like(log_e))))
    onehot = xp.astype(xp.arange(log_p.shape[-1], device=device(states)) == states[..., None], log_p.dtype)
    grad = xp.exp(log_p) - xp.matmul(share, onehot)
    return Loss(-log_sum[:, 0], xp.where(counts & possible, grad, xp.zeros_like(grad)))


def _states(xp, labels, lengths, blank):
    """blank, label, blank, ..., label, blank; and where a path may come from two states before: onto a new label."""
    counts = xp.arange(labels.shape[1], device=device(labels)) < lengths[:, None]
    blanks = xp.full_like(labels, blank)
    pairs = xp.reshape(
        xp.stack([blanks, xp.where(counts, labels, blanks)], axis=-1), (labels.shape[0], 2 * labels.shape[1])
    )
    edge = xp.full((labels.shape[0], 2), blank, dtype=labels.dtype, device=device(labels))
    states = xp.concat([pairs, edge[:, :1]], axis=1)
    earlier = xp.concat([edge, states], axis=1)[:, : states.shape[1]]
    return states, (states != blank) & (states != earlier)


def _paths(xp, log_e, counts, skip, last):
    """Per step and state: log of the sum over all ways to get here, over all ways on from here; and over all paths."""
    place = xp.arange(log_e.shape[-1], device=device(last))
    never = xp.full_like(log_e[:, 0, :], -xp.inf)
    a = xp.where(place == 0, xp.zeros_like(never), never)
    b = xp.where((place == last) | (place == last - 1), xp.zeros_like(never), never)
    before, after = [], []
    for t in range(log_e.shape[1]):
        come = _join(xp, a, _shift(xp, a, 1), xp.where(skip, _shift(xp, a, 2), never))
        a = xp.where(counts[:, t, :], come + log_e[:, t, :], a)
        before.append(a)
    for t in reversed(range(log_e.shape[1])):
        after.append(b)
        c = b + log_e[:, t, :]
        go = _join(xp, c, _shift(xp, c, -1), _shift(xp, xp.where(skip, c, never), -2))
        b = xp.where(counts[:, t, :], go, b)
    return xp.stack(before, axis=1), xp.stack(after[::-1], axis=1), b[:, :1]  # every path starts at the first blank


def _shift(xp, a, by):
    """a moved along its states, with -inf, the log of 0, coming in."""
    edge = xp.full((a.shape[0], min(abs(by), a.shape[1])), -xp.inf, dtype=a.dtype, device=device(a))
    return xp.concat([edge, a[:, :-by]] if by > 0 else [a[:, -by:], edge], axis=1)


def _join(xp, a, b, c):
    return xp.logaddexp(xp.logaddexp(a, b), c)


def _check_labels(xp, labels, lengths, classes, blank) -> None:
    unread = xp.arange(labels.shape[1], device=device(labels)) >= lengths[:, None]
    if not bool(xp.all(unread | ((labels >= 0) & (labels < classes) & (labels != blank)))):
        raise ValueError(f"labels must lie in 0..{classes - 1} and differ from blank={blank}")
