from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, NamedTuple

from ..core import array_namespace, zeros_for
from ..core.options import at_least_0, fraction, whole
from ..core.rule import in_theta_dtype
from ._matrices import check_matrix, eigen, identity_for
from ._stable import divide


class SOAPState(NamedTuple):
    t: int
    m: Any
    v: Any  # in the basis
    left: Any
    right: Any
    q_left: Any
    q_right: Any


@dataclass(frozen=True)
class SOAP:
    """SOAP: Adam in the eigenvectors of Shampoo's two matrices, renewed every few steps.

    m      <- beta1 m + (1 - beta1) g                 v <- beta2 v + (1 - beta2) (q_left^T g q_right)^2
    u       = sqrt(1 - beta2^k) / (1 - beta1^k) (q_left^T m q_right) / (sqrt(v) + eps)          k = t - 1 = 1, 2, ...
    theta  <- (1 - lr weight_decay) (theta - lr q_left u q_right^T)
    left   <- shampoo_beta left + (1 - shampoo_beta) g g^T,  right of g^T g; q_left, q_right: their eigenvectors, new
              where k is a multiple of `every`

    The first gradient (k = 0) only gives the basis, theta stays: no gradient helps to choose its own. theta, g: a
    matrix (rows, cols), not empty. Where squares overflow, no move. Shapes, NaN and errors as in Muon; every >= 1.
    PyTorch: none. The authors' class (github.com/nikhilvyas/SOAP), but that renews a basis by one step of a power
    iteration and QR, and we by a full eigendecomposition.   Source: Vyas et al. 2024, and that class.
    """

    elementwise: ClassVar[bool] = False
    lr: float = 3e-3
    beta1: float = 0.95
    beta2: float = 0.95
    shampoo_beta: float = 0.95
    eps: float = 1e-8
    weight_decay: float = 0.01
    every: int = 10

    def __post_init__(self):
        at_least_0(lr=self.lr, eps=self.eps, weight_decay=self.weight_decay)
        fraction(beta1=self.beta1, beta2=self.beta2, shampoo_beta=self.shampoo_beta)
        whole(least=1, every=self.every)

    def init(self, theta) -> SOAPState:
        check_matrix(theta=theta)
        zeros = zeros_for(theta)
        q_left, q_right = (identity_for(n, zeros) for n in theta.shape)
        return SOAPState(0, zeros, zeros_for(theta), 0 * q_left, 0 * q_right, q_left, q_right)

    def adam(self, theta, g, state):
        """theta, m and v after Adam's step in the basis."""
        xp, k, q_left, q_right = array_namespace(theta), state.t, state.q_left, state.q_right
        m = self.beta1 * state.m + (1 - self.beta1) * g
        v = self.beta2 * state.v + (1 - self.beta2) * (q_left.T @ g @ q_right) ** 2
        u = divide(q_left.T @ m @ q_right, xp.sqrt(v) + self.eps)
        size = self.lr * sqrt(1 - self.beta2**k) / (1 - self.beta1**k)
        return (1 - self.lr * self.weight_decay) * (theta - size * (q_left @ u @ q_right.T)), m, v

    @in_theta_dtype
    def update(self, theta, g, state):
        theta, m, v = self.adam(theta, g, state) if state.t else (theta, state.m, state.v)
        left = self.shampoo_beta * state.left + (1 - self.shampoo_beta) * (g @ g.T)
        right = self.shampoo_beta * state.right + (1 - self.shampoo_beta) * (g.T @ g)
        bases = state.q_left, state.q_right
        if state.t % self.every == 0:
            bases = eigen(left)[1], eigen(right)[1]
        return theta, SOAPState(state.t + 1, m, v, left, right, *bases)
