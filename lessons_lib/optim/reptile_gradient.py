from ..core import array_namespace, is_half
from ..core.options import at_least_0, function, whole
from ..core.rule import alike, floating


def reptile_gradient(gradient, theta, lr=0.01, steps=5):
    """From where a few steps on a task end back to where they began, in units of lr: the sum of their gradients.

    theta_i = theta_i-1 - lr gradient(theta_i-1),  i = 1..steps,  theta_0 = theta
    result  = (theta - theta_steps) / lr = gradient(theta_0) + ... + gradient(theta_steps-1)

    Hand the mean over tasks to any rule; SGD with rate epsilon lr moves theta by the fraction epsilon towards
    the end. One step gives the plain gradient; from two on, the result prefers a start from which one batch's gradient
    helps the next one. gradient may draw a batch in each call. Half precision is summed in float32. Errors as in
    maml_gradient, and ValueError on steps < 1.
    PyTorch: none.   Source: Nichol, Achiam and Schulman 2018, Algorithm 1 and its remark on (phi - W) / alpha.
    """
    at_least_0(lr=lr)
    whole(least=1, steps=steps)
    function(gradient=gradient)
    floating(theta=theta)
    xp = array_namespace(theta)
    wide = xp.float32 if is_half(theta) else theta.dtype
    x, total = xp.astype(theta, wide), xp.zeros_like(theta, dtype=wide)
    for _ in range(steps):
        g = gradient(xp.astype(x, theta.dtype))
        alike(theta=theta, **{"gradient(theta)": g})
        g = xp.astype(g, wide)
        x, total = x - lr * g, total + g
    return xp.astype(total, theta.dtype)
