"""Losses: the value per example and its closed-form gradient. One concept per file."""

from .binary_cross_entropy import binary_cross_entropy
from .contrastive import contrastive
from .cosine_embedding import cosine_embedding
from .cross_entropy import cross_entropy
from .hinge import hinge
from .hinge_embedding import hinge_embedding
from .info_nce import info_nce, symmetric_info_nce
from .margin_ranking import margin_ranking
from .multi_margin import multi_margin
from .multilabel_margin import multilabel_margin
from .multilabel_soft_margin import multilabel_soft_margin
from .soft_cross_entropy import smooth_labels, soft_cross_entropy
from .soft_margin import soft_margin
from .squared import squared_error
from .triplet import triplet, triplet_with_distance

__all__ = [
    "binary_cross_entropy",
    "contrastive",
    "cosine_embedding",
    "cross_entropy",
    "hinge",
    "hinge_embedding",
    "info_nce",
    "margin_ranking",
    "multi_margin",
    "multilabel_margin",
    "multilabel_soft_margin",
    "smooth_labels",
    "soft_cross_entropy",
    "soft_margin",
    "squared_error",
    "symmetric_info_nce",
    "triplet",
    "triplet_with_distance",
]
