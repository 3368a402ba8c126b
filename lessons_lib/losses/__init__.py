"""Losses: the value per example and its closed-form gradient. One concept per file."""

from .absolute_error import absolute_error
from .adaptive_cross_entropy import adaptive_cross_entropy
from .barron import barron
from .barron_nll import barron_nll
from .binary_cross_entropy import binary_cross_entropy
from .binary_cross_entropy_on_probabilities import binary_cross_entropy_on_probabilities
from .contrastive import contrastive
from .cosine_embedding import cosine_embedding
from .cross_entropy import cross_entropy
from .ctc import ctc
from .focal import focal
from .gaussian_nll import gaussian_nll
from .hinge import hinge
from .hinge_embedding import hinge_embedding
from .huber import huber
from .info_nce import info_nce, symmetric_info_nce
from .jensen_shannon import jensen_shannon
from .kl_divergence import kl_divergence
from .laplace_nll import laplace_nll
from .log_cosh import log_cosh
from .margin_ranking import margin_ranking
from .multi_margin import multi_margin
from .multilabel_margin import multilabel_margin
from .multilabel_soft_margin import multilabel_soft_margin
from .nll import nll
from .poisson_nll import poisson_nll
from .quantile_loss import quantile_loss
from .smooth_l1 import smooth_l1
from .soft_cross_entropy import smooth_labels, soft_cross_entropy
from .soft_margin import soft_margin
from .squared_error import squared_error
from .triplet import triplet, triplet_with_distance

__all__ = [name for name, x in vars().items() if callable(x)]
