from ..core import Loss, array_namespace, contract, number, real


@contract(logits=real("..."), cap=number("(0, inf)"))
def softcap(logits, cap=30.0) -> Loss:
    """Logits bent smoothly into (-cap, cap), and their slope: no loss by itself, but what stands before one.

    value = cap tanh(z / cap)           z = logits
    grad  = 1 - tanh(z / cap)^2         of each value by its own logit

    Cross-entropy behind it, by the chain rule:
        capped = softcap(logits);  loss = cross_entropy(capped.value, labels);  grad = capped.grad * loss.grad
    logits, value, grad: (...), all of one shape; near 0 the logits stay what they are, and their order always does,
    but for those so large that they round to the cap. Raises ValueError unless cap is > 0, TypeError on integers.
    PyTorch: none; cap * torch.tanh(logits / cap).
    Source: Gemma Team 2024 (Gemma 2), which caps the last logits at 30 and those of attention at 50.
    """
    xp = array_namespace(logits)
    x = logits / cap
    e = xp.exp(-2 * xp.abs(x))  # 1 - tanh^2 = 4 e / (1 + e)^2, without the difference
    return Loss(cap * xp.tanh(x), 4 * e / (1 + e) ** 2)
