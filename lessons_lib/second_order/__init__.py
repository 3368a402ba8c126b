"""Methods that need a function, not one gradient. Each returns its path: the points, the answer last."""

from .conjugate_gradient import conjugate_gradient, fletcher_reeves, nonlinear_cg, polak_ribiere_plus
from .lbfgs import lbfgs, two_loop
from .line_search import Point, along, strong_wolfe
from .newton import damped_newton, newton, newton_direction

__all__ = [name for name, x in vars().items() if callable(x)]
