from ..core import array_namespace, is_half
from ..core.options import at_least_0, function, whole
from ..core.rule import alike, floating


def maml_gradient(support, query, theta, lr=0.01, steps=1, hvp=None):
    """How the loss on a task's query set, after a few steps on its support set, changes with where the steps began.

    theta_i = theta_i-1 - lr support(theta_i-1),  i = 1..steps,  theta_0 = theta          (the inner loop)
    g <- query(theta_steps),   then for i = steps..1:   g <- g - lr hvp(theta_i-1, g)     (the chain rule backward)

    support, query: gradients of the two losses as functions of theta. hvp(theta, v): the support loss's Hessian at
    theta times v. Without it the steps are taken as constant: first-order MAML. Hand the mean over tasks to any rule.
    Half precision is computed in float32. Raises ValueError on a negative or NaN lr, on steps < 0 or a gradient that is
    not shaped like theta, TypeError on integer arrays and on what is no function.
    PyTorch: none; autograd through the unrolled steps, create_graph=True.
    Source: Finn, Abbeel and Levine 2017; Nichol, Achiam and Schulman 2018 for the first order.
    """
    at_least_0(lr=lr)
    whole(steps=steps)
    function(support=support, query=query)
    if hvp is not None:
        function(hvp=hvp)
    floating(theta=theta)
    xp = array_namespace(theta)
    wide = xp.float32 if is_half(theta) else theta.dtype

    def at(fn, name, x, *v):
        g = fn(xp.astype(x, theta.dtype), *v)
        alike(theta=theta, **{f"{name}(theta)": g})
        return xp.astype(g, wide)

    path = [xp.astype(theta, wide)]
    for _ in range(steps):
        path.append(path[-1] - lr * at(support, "support", path[-1]))
    g = at(query, "query", path.pop())
    for x in reversed(path if hvp else []):
        g = g - lr * at(hvp, "hvp", x, xp.astype(g, theta.dtype))
    return xp.astype(g, theta.dtype)
