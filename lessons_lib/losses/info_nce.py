from ..core import Loss, array_namespace, contract, device, number, real
from ._stable import log_softmax, ratio


@contract(similarity=real("N, M"), temperature=number("(0, inf)"))
def info_nce(similarity, temperature=0.07) -> Loss:
    """InfoNCE of each row: cross-entropy over its similarities, where column i is the right one for row i.

    value_i = -log p_ii                                 p = softmax over the row of similarity / temperature
    grad    = (p - onehot(i)) / temperature

    similarity: (N, M), N <= M, row i with column i the pair that belongs together, all other columns are
    negatives (-inf leaves one out); value: (N,), in nats. It is log(M) where all similarities are equal.
    With s = similarity, the gradient in the temperature is -sum(s grad) / temperature, for one that is learned.
    Raises TypeError on integers, ValueError on another shape or a temperature that is not > 0.
    PyTorch: F.cross_entropy(similarity / temperature, torch.arange(N), reduction="none").
    Source: van den Oord, Li and Vinyals 2018, equation 4.
    """
    xp = array_namespace(similarity)
    if similarity.shape[0] > similarity.shape[1]:
        raise ValueError(f"similarity must be (N, M) with N <= M, got {tuple(similarity.shape)}")
    rows, columns = (xp.arange(n, device=device(similarity)) for n in similarity.shape)
    pair = rows[:, None] == columns
    log_p = log_softmax(ratio(similarity, xp.max(similarity, axis=-1, keepdims=True), temperature))
    value = -xp.sum(xp.where(pair, log_p, xp.zeros_like(log_p)), axis=-1)
    return Loss(value, xp.where(pair, xp.expm1(log_p), xp.exp(log_p)) / temperature)


@contract(similarity=real("M, M"), temperature=number("(0, inf)"))
def symmetric_info_nce(similarity, temperature=0.07) -> Loss:
    """CLIP's loss: InfoNCE averaged over both directions, rows that look for columns and columns for rows.

    value = (mean_i info_nce(s)_i + mean_i info_nce(s^T)_i) / 2              s = similarity
    grad  = (softmax of rows + softmax of columns - 2 onehot) / (2 N temperature)

    similarity: (N, N), first against second embeddings, pairs on the diagonal. value: (), one number for
    the whole batch, because every pair is also a negative of the others; mean and total leave it alone.
    With s = a b^T the gradients in the embeddings are grad b and grad^T a.
    Raises as info_nce, and ValueError unless the matrix is square and has a row.
    PyTorch: the mean of F.cross_entropy on s / temperature and on its transpose.
    Source: Radford et al. 2021, figure 3.
    """
    xp = array_namespace(similarity)
    n = similarity.shape[0]
    there, back = info_nce(similarity, temperature), info_nce(similarity.T, temperature)
    return Loss(xp.sum((there.value / 2 + back.value / 2) / n), (there.grad + back.grad.T) / (2 * n))
