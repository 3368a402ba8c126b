from typing import Any, NamedTuple

from ..core import in_first_dtype
from ..core.options import at_least_0
from ..core.rule import alike
from ._matrices import check_matrix, inverse_root


class LoRAGradients(NamedTuple):
    a: Any
    b: Any


@in_first_dtype
def scaled_lora_gradients(a, b, grad_a, grad_b, eps=1e-6):
    """The gradients of low-rank adaptation W + scale B A, each divided by the other matrix's inner products.

    a: (B^T B + eps I)^-1 grad_a                     b: grad_b (A A^T + eps I)^-1

    Hand them to any rule: the step of B A then depends on B A alone, not on how it is split into B and A, and one
    learning rate serves both. With B = 0, where grad_a is 0 as well, the result is 0.
    a, grad_a: (rank, in); b, grad_b: (out, rank). The results have a's dtype. Inner products that overflow give 0.
    Raises ValueError on other shapes or a negative eps, TypeError on integer arrays.
    PyTorch: none; the authors' SGDr and AdamWr do it inside the optimizer.
    Source: Zhang and Pilanci 2024 (arXiv 2402.02347), there called scaled GD and scaled AdamW.
    """
    at_least_0(eps=eps)
    check_matrix(a=a, b=b)
    alike(a=a, grad_a=grad_a)
    alike(b=b, grad_b=grad_b)
    if a.shape[0] != b.shape[1]:
        raise ValueError(
            f"a (rank, in) and b (out, rank) must have one rank, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    return LoRAGradients(inverse_root(b.T @ b, 1, eps) @ grad_a, grad_b @ inverse_root(a @ a.T, 1, eps))
