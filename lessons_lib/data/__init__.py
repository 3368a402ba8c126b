"""Real data that comes with scikit-learn, Python and this library: nothing is downloaded. NumPy, split by a seed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .batches import Batch, Batches, Example, answers, docstring_task, in_order, shuffled, windows
from .corpus import Corpus, corpus
from .python_code import Function, functions
from .tokens import END, bpe, encode
from .words import Words, pairs, words


class Split(NamedTuple):
    """Inputs x (n, d), standardised by the training part; targets y (n,): integers for classes."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def breast_cancer(seed: int = 0) -> Split:
    """569 tumours, 30 measurements each; y = 1 for benign (357), 0 for malignant (212)."""
    from sklearn.datasets import load_breast_cancer

    return _split(load_breast_cancer(return_X_y=True), seed)


def digits(seed: int = 0) -> Split:
    """1797 handwritten digits of 8 x 8 pixels, flattened to 64; y = 0..9."""
    from sklearn.datasets import load_digits

    return _split(load_digits(return_X_y=True), seed)


def diabetes(seed: int = 0) -> Split:
    """442 patients, 10 measurements each; y is the progression of the disease after a year, a real number."""
    from sklearn.datasets import load_diabetes

    return _split(load_diabetes(return_X_y=True), seed)


def houses() -> tuple[np.ndarray, np.ndarray]:
    """414 sales of homes in Xindian, New Taipei City, 2012 and 2013, as they were noted: x (414, 5) and y (414,).

    x: age (years), distance to the next underground station (m), convenience stores near by, latitude, longitude.
    y: the price, in 10 000 Taiwan dollars per ping of 3.3 m^2. One sale of 117.5 stands far above all others; they end
    at 78.3.

    Source: I-C. Yeh and T.-K. Hsu 2018, UCI Machine Learning Repository 10.24432/C5J30W, CC BY 4.0.
    """
    rows = np.loadtxt(Path(__file__).with_name("houses.csv"), delimiter=",", skiprows=1)
    return rows[:, 1:-1], rows[:, -1]


def _split(whole: tuple, seed: int, test: float = 0.3) -> Split:
    x, y = whole
    order = np.random.default_rng(seed).permutation(len(x))
    test_rows, rows = np.split(order, [int(test * len(x))])
    middle, spread = x[rows].mean(0), x[rows].std(0)
    x = (x - middle) / np.where(spread > 0, spread, 1.0)  # a pixel that never lights up stays 0
    return Split(x[rows], y[rows], x[test_rows], y[test_rows])
