from math import sqrt

from ..core import array_namespace, is_half
from ..core.options import finite, positive
from ..core.rule import floating


def qk_clip(w_q, w_k, max_logit, tau=100.0):
    """The query and key weights of an attention head, scaled down where its largest logit has passed tau.

    (w_q, w_k) sqrt(min(1, tau / max_logit)),      max_logit = max over a batch of q . k / sqrt(head_dim)

    q and k are linear in them, so the same batch now has the largest logit tau. With any rule before it: MuonClip is
    Muon("match_rms_adamw") and then this for each head. Biases of q and k are scaled like weights; a key head that
    several query heads share belongs to all of them. w_q, w_k: any shapes, one head each.
    Raises ValueError unless tau > 0 and max_logit is finite, TypeError on integer arrays.
    PyTorch: none; inside no_grad: w_q.mul_(s), w_k.mul_(s).   Source: Kimi Team 2025 (arXiv 2507.20534), QK-Clip.
    """
    finite(max_logit=max_logit)
    positive(tau=tau)
    floating(w_q=w_q, w_k=w_k)
    scale = sqrt(float(tau) / float(max_logit)) if max_logit > tau else 1.0
    return _times(w_q, scale), _times(w_k, scale)


def _times(w, scale):
    xp = array_namespace(w)
    return xp.astype(xp.astype(w, xp.float32) * scale, w.dtype) if is_half(w) else w * scale
