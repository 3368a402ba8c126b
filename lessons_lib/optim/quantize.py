from functools import cache
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

from ..core import array_namespace, device, is_half
from ..core.dtypes import is_called
from ..core.options import flag, whole
from ..core.rule import floating


class Quantized(NamedTuple):
    codes: Any
    scale: Any


@cache
def dynamic_map(signed=True) -> tuple[float, ...]:
    """The 256 numbers of dynamic quantization, in order: from -1 to 1, or from 0 to 1.

    Seven decades, from 1e-7 to 1; each, from the smallest up, has twice as many numbers as the one before: 1, 2, ...,
    64 for either sign, or 2, 4, ..., 128. They lie in the middle of equal parts. 0 and 1 complete the 256.
    Source: Dettmers 2016; as in bitsandbytes' create_dynamic_map.
    """
    flag(signed=signed)
    first = 1 if signed else 2
    parts = [(i, first * 2**i) for i in range(7)]
    above = [10.0 ** (i - 6) * (0.1 + 0.9 * (k + 0.5) / n) for i, n in parts for k in range(n)]
    return tuple(sorted([-x for x in above if signed] + [0.0, *above, 1.0]))


def quantize(x, signed=True, block=256) -> Quantized:
    """8 bits for each number: its place in `dynamic_map`, after division by the largest |number| of its block.

    scale = max |x| of each `block` numbers in a row,   code = argmin_j |map_j - x / scale|

    x: any shape; codes (uint8) have the same, scale is (blocks,). signed=False is for numbers >= 0, and gives them
    twice as many digits; there only 0 becomes 0: a mean square that rounds to 0 would make its step leap. inf
    counts as the largest float; a NaN makes its block NaN. Raises TypeError on integers, ValueError on block < 1.
    PyTorch: none; bitsandbytes.functional.quantize_blockwise.   Source: Dettmers et al. 2022.
    """
    floating(x=x)
    flag(signed=signed)
    whole(least=1, block=block)
    xp = array_namespace(x)
    x = xp.astype(x, xp.float32) if is_half(x) else x
    rows, largest = _rows(x, block), xp.finfo(x.dtype).max
    scale = xp.max(xp.abs(rows), axis=1)
    scale = xp.where(scale > largest, xp.full_like(scale, largest), scale)
    shares = xp.reshape(rows / xp.where(scale > 0, scale, xp.ones_like(scale))[:, None], (-1,))
    numbers = dynamic_map(signed)
    middles = [(a + b) / 2 for a, b in pairwise(numbers)]
    codes = xp.searchsorted(xp.asarray(middles, dtype=x.dtype, device=device(x)), shares)
    if not signed:
        codes = xp.where((shares > 0) & (codes == 0), xp.ones_like(codes), codes)
    codes = xp.reshape(codes[: prod(x.shape)], x.shape)
    return Quantized(xp.astype(xp.clip(codes, max=255), xp.uint8), scale)


def dequantize(codes, scale, signed=True, block=256):
    """The numbers again, in scale's dtype: map_code times the scale of the block.

    Raises TypeError on codes that are not uint8, ValueError where they have not one scale per block; else as quantize.
    """
    floating(scale=scale)
    flag(signed=signed)
    whole(least=1, block=block)
    if not is_called("uint8", getattr(codes, "dtype", "")):
        raise TypeError(f"codes must be a uint8 array, got {getattr(codes, 'dtype', type(codes).__name__)}")
    if tuple(scale.shape) != (-(-prod(codes.shape) // block),):
        raise ValueError(f"scale must be one per block of {block} codes {tuple(codes.shape)}, got {tuple(scale.shape)}")
    xp = array_namespace(scale)
    places = xp.astype(_rows(codes, block), xp.int64)
    numbers = xp.asarray(dynamic_map(signed), dtype=scale.dtype, device=device(scale))
    shares = xp.reshape(xp.take(numbers, xp.reshape(places, (-1,)), axis=0), places.shape)
    return xp.reshape(xp.reshape(shares * scale[:, None], (-1,))[: prod(codes.shape)], codes.shape)


def _rows(x, block):
    """The numbers in a row, `block` to a line, with 0 after the last."""
    xp = array_namespace(x)
    missing = xp.zeros(-prod(x.shape) % block, dtype=x.dtype, device=device(x))
    return xp.reshape(xp.concat([xp.reshape(x, (-1,)), missing]), (-1, block))
