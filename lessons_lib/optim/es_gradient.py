from ..core import array_namespace
from ..core.options import function, is_number, positive
from ..core.rule import floating


def es_gradient(f, x, sigma, noise):
    """An estimate of the gradient from values alone: evolution strategies with mirrored samples.

    result = mean over the rows e of noise of  (f(x + sigma e) - f(x - sigma e)) / (2 sigma)  e

    With normal noise its mean is the gradient of f smoothed by noise of size sigma, which exists even where f has
    jumps. It varies the more, the more numbers x has. f: a function with one number as value. x: any shape; noise:
    (n, *x.shape), n >= 1. Raises ValueError on other shapes or sigma <= 0, TypeError on integer arrays.
    PyTorch: none.   Source: Salimans et al. 2017; mirrored samples: Brockhoff et al. 2010.
    """
    function(f=f)
    positive(sigma=sigma)
    floating(x=x, noise=noise)
    if noise.ndim != x.ndim + 1 or noise.shape[1:] != x.shape or not noise.shape[0]:
        raise ValueError(f"noise must be (n, *x.shape), n >= 1, got noise {tuple(noise.shape)}, x {tuple(x.shape)}")
    xp = array_namespace(x, noise)
    g = xp.zeros_like(x)
    for i in range(noise.shape[0]):
        e = xp.astype(noise[i, ...], x.dtype)
        ahead, behind = f(x + sigma * e), f(x - sigma * e)
        if not is_number(ahead):
            raise TypeError(f"f(x) must be one number, got a {type(ahead).__name__}")
        g = g + (float(ahead) - float(behind)) / (2 * sigma) * e
    return g / noise.shape[0]
