"""Losses: the value per example and its closed-form gradient. One concept per file."""

from .absolute_error import absolute_error
from .adaptive_cross_entropy import adaptive_cross_entropy
from .barron import barron
from .barron_nll import barron_nll
from .binary_cross_entropy import binary_cross_entropy
from .binary_cross_entropy_on_probabilities import binary_cross_entropy_on_probabilities
from .bradley_terry import bradley_terry
from .cispo import cispo
from .contrastive import contrastive
from .cosine_embedding import cosine_embedding
from .cpo import cpo
from .cross_entropy import cross_entropy
from .ctc import ctc
from .dft import dft
from .distillation import distillation
from .dpo import dpo
from .entropy import entropy
from .focal import focal
from .gaussian_nll import gaussian_nll
from .generalized_jensen_shannon import generalized_jensen_shannon
from .group_advantage import group_advantage, leave_one_out_advantage
from .gspo import gspo
from .hinge import hinge
from .hinge_embedding import hinge_embedding
from .huber import huber
from .info_nce import info_nce, symmetric_info_nce
from .ipo import ipo
from .jensen_shannon import jensen_shannon
from .kl_divergence import kl_divergence
from .kl_penalty import kl_penalty
from .kto import kto
from .laplace_nll import laplace_nll
from .load_balance import load_balance
from .log_cosh import log_cosh
from .margin_ranking import margin_ranking
from .multi_margin import multi_margin
from .multilabel_margin import multilabel_margin
from .multilabel_soft_margin import multilabel_soft_margin
from .nll import nll
from .orpo import orpo
from .poisson_nll import poisson_nll
from .ppo_clip import ppo_clip
from .quantile_loss import quantile_loss
from .reinforce import reinforce
from .reverse_kl import reverse_kl
from .robust_dpo import robust_dpo
from .sequence_log_p import mean_log_p, sequence_log_p
from .simpo import simpo
from .smooth_l1 import smooth_l1
from .soft_cross_entropy import smooth_labels, soft_cross_entropy
from .soft_margin import soft_margin
from .softcap import softcap
from .squared_error import squared_error
from .triplet import triplet, triplet_with_distance
from .uncertainty_weighting import uncertainty_weighting
from .z_loss import z_loss

__all__ = [name for name, x in vars().items() if callable(x)]
