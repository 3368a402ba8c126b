from itertools import pairwise

from ..core import Loss, array_namespace, contract, integers, labels_below, real, whole_list
from .cross_entropy import cross_entropy


@contract(logits=real("..., K"), labels=integers("..."), cutoffs=whole_list)
def adaptive_cross_entropy(logits, labels, cutoffs) -> Loss:
    """Cross-entropy in two stages, for classes sorted by falling frequency: which cluster, then which class in it.

    The first cutoffs[0] classes stand alone; class k with cutoffs[i] <= k < cutoffs[i + 1] is in cluster i.
    value = ce(z_head, k)                             k < cutoffs[0]            ce: cross_entropy
          = ce(z_head, cutoffs[0] + i) + ce(z_i, k - cutoffs[i])                k in cluster i
    grad  = that of each ce by its own logits, 0 for the clusters that k is not in

    logits z: (..., C + K), for C classes and K = len(cutoffs) clusters: z_head, of the first classes and then of
    the clusters, then z_0, ..., z_K-1; labels: (...), integers in 0..C-1; cutoffs: integers, 0 < rising < C;
    value: (...), in nats. Here every cluster is computed; what makes it cheap is to give a cluster's logits
    only to the examples in it.
    Raises TypeError on labels that are not integers, ValueError on other shapes, labels or cutoffs out of range.
    PyTorch: nn.AdaptiveLogSoftmaxWithLoss(d, C, cutoffs), which makes the logits too: head(x) and each tail(x).
    Source: Grave, Joulin, Cisse, Grangier, Jegou 2017.
    """
    xp = array_namespace(logits, labels)
    edges, n_clusters, alone = _edges(logits, cutoffs), len(cutoffs), cutoffs[0]
    labels_below(edges[-1], labels)
    in_head = labels
    for i, low in enumerate(cutoffs):
        in_head = xp.where(labels >= low, xp.full_like(labels, alone + i), in_head)
    value, grad = cross_entropy(logits[..., : alone + n_clusters], in_head)
    grads = [grad]
    for low, high in pairwise(edges[1:]):
        inside = (labels >= low) & (labels < high)
        tail = cross_entropy(logits[..., low + n_clusters : high + n_clusters], xp.where(inside, labels - low, 0))
        value = value + xp.where(inside, tail.value, xp.zeros_like(tail.value))
        grads.append(xp.where(inside[..., None], tail.grad, xp.zeros_like(tail.grad)))
    return Loss(value, xp.concat(grads, axis=-1))


def _edges(logits, cutoffs):
    """0, the cutoffs and the number of classes."""
    edges = [0, *cutoffs, logits.shape[-1] - len(cutoffs)]
    if not cutoffs or any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"cutoffs={list(cutoffs)} is not allowed; it must rise between 0 and {edges[-1]} classes")
    return edges
