"""One row per public loss and rule and option: ours, the PyTorch counterpart, and inputs that would show a mistake.

The lessons' parity tables, the tests and the GPU record all walk over these rows. One file per family.
"""

import torch

from . import (
    adams,
    adaptive,
    classification,
    descent,
    distributions,
    helpers,
    language,
    margins,
    matrices,
    policy,
    preference,
    regression,
    sequences,
    shampoo,
    vectors,
    wrappers,
)
from ._case import HelperCase, LossCase, RuleCase

TORCH = tuple(int(n) for n in torch.__version__.split(".")[:2])
FAMILIES = [
    regression,
    classification,
    distributions,
    sequences,
    descent,
    adams,
    margins,
    adaptive,
    matrices,
    vectors,
    policy,
    preference,
    language,
    shampoo,
    wrappers,
    helpers,
]
LOSSES = [c for family in FAMILIES for c in family.CASES if isinstance(c, LossCase)]
HELPERS = [c for family in FAMILIES for c in family.CASES if isinstance(c, HelperCase)]
RULES = [c for family in FAMILIES for c in family.CASES if isinstance(c, RuleCase) and c.since <= TORCH]
