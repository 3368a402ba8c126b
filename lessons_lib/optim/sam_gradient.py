from ..core import array_namespace, is_half
from ..core.options import at_least_0, function
from ..core.rule import alike, floating
from ._stable import divide, norm


def sam_gradient(gradient, theta, rho=0.05):
    """Sharpness-aware minimisation: the gradient at the steepest point of a ball of radius rho around theta.

    g = gradient(theta),   result = gradient(theta + rho g / ||g||)

    Hand the result to any rule. It costs two gradients per step and looks for minima whose
    neighbourhood is low too. ||.|| is the root of the sum of squares over the one array theta; the change of the
    steepest point with theta is neglected, as in the paper. Where g is 0 the result is gradient(theta).
    Raises ValueError on a negative or NaN rho, TypeError on integer arrays.
    PyTorch: none.   Source: Foret et al. 2021, equations 2 and 3.
    """
    at_least_0(rho=rho)
    function(gradient=gradient)
    floating(theta=theta)
    g = gradient(theta)
    alike(theta=theta, **{"gradient(theta)": g})
    xp = array_namespace(theta)
    wide = xp.float32 if is_half(theta) else theta.dtype  # a float16 norm overflows at 256
    g = xp.astype(g, wide)
    ascent = xp.astype(theta, wide) + rho * divide(g, norm(g))
    return xp.astype(gradient(xp.astype(ascent, theta.dtype)), theta.dtype, copy=False)
