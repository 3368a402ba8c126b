"""exp, log and their kin in forms that neither overflow nor cancel. Every loss on logits builds on these."""

from ..core import array_namespace, floating


def sigmoid(z):
    """1 / (1 + exp(-z)), with exp only of numbers <= 0, so that nothing overflows."""
    xp = array_namespace(z)
    e = xp.exp(-xp.abs(z))
    return xp.where(z >= 0, xp.ones_like(e), e) / (1 + e)


def softplus(z):
    """log(1 + exp(z)) = -log(sigmoid(-z))."""
    xp = array_namespace(z)
    return xp.maximum(z, xp.zeros_like(z)) + xp.log1p(xp.exp(-xp.abs(z)))


def log_softmax(z):
    """z - log(sum(exp(z))) over the last axis; the largest logit is taken off first."""
    xp = array_namespace(z)
    shifted = z - xp.max(z, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def positive_part(x):
    """max(x, 0) and its slope, 1 above 0 and 0 elsewhere: at the kink, where a margin is just met, 0 as well."""
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x)), xp.astype(x > 0, x.dtype)


def signs(labels, score):
    """The labels +1 and -1, one per score, as numbers of the score's dtype."""
    xp = array_namespace(labels, score)
    if not xp.isdtype(labels.dtype, "integral"):
        raise TypeError(f"labels must be integers +1 or -1, got dtype {labels.dtype}")
    if tuple(labels.shape) != tuple(score.shape):
        raise ValueError(f"labels must be shaped {tuple(score.shape)}, one per value, got {tuple(labels.shape)}")
    if not bool(xp.all((labels == 1) | (labels == -1))):
        raise ValueError("labels must be +1 or -1; from labels y in {0, 1} take 2 y - 1")
    return xp.astype(labels, score.dtype)


def one_per_value(pred, **options):
    """Each option, a number or an array shaped like pred but for axes of length 1, as one number per value.

    The number of axes must be pred's: whether (N,) goes with the rows or the columns of (N, N) is not guessed.
    """
    xp = array_namespace(pred)
    spread = []
    for name, a in options.items():
        if not hasattr(a, "dtype"):
            spread.append(xp.full_like(pred, a))
            continue
        floating(**{name: a})
        given, full = tuple(a.shape), tuple(pred.shape)
        if given and (len(given) != len(full) or any(n not in (1, m) for n, m in zip(given, full, strict=True))):
            raise ValueError(f"{name} must be a number or shaped {full}, with 1 where an axis shares one, got {given}")
        spread.append(xp.zeros_like(pred) + xp.astype(a, pred.dtype))
    return spread
