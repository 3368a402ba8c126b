"""What every loss and every optimizer shares: the protocols, the averages over a batch, the checks of input."""

from array_api_compat import array_namespace, device

from .contracts import contract
from .dtypes import in_first_dtype, is_half
from .kinds import (
    choice,
    classes,
    flag,
    float_type,
    function,
    integers,
    kept,
    labels_below,
    number,
    optional,
    per_value,
    real,
    signs,
    spread,
    whole,
    whole_list,
)
from .loss import Loss, mean, total, weighted_mean
from .rule import Rule, same_shape, zeros_for
