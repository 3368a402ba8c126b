"""The text that comes with Python, as numbered words and counted pairs."""

import numpy as np
import pytest

from lessons_lib import data


def test_words_are_numbered_by_how_often_the_first_half_has_them():
    text = data.words(seed=1, size=20)
    often = np.bincount(text.ids, minlength=20)
    assert len(often) == len(text.spelling) == 20 and (np.diff(often[:-1]) <= 0).all()
    assert text.spelling[0] == "the" and text.spelling[-1] == "other" and len(set(text.spelling)) == 20
    assert min(len(text.ids), len(text.ids_test)) > 20_000 and text.ids_test.max() == 19


def test_a_vocabulary_larger_than_the_text_numbers_unknown_words_with_the_last():
    text = data.words(seed=1, size=50_000)
    assert text.ids_test.max() == len(text.spelling) - 1 < 49_999 and text.spelling[-1] == "other"


def test_the_houses_are_all_there_and_one_is_far_from_the_others():
    x, y = data.houses()
    assert x.shape == (414, 5) and np.sort(y)[[0, -2, -1]].tolist() == [7.6, 78.3, 117.5]
    # years, metres, shops, degrees north and east: the city is a few kilometres wide
    assert (x.min(0) >= [0, 20, 0, 24.9, 121.4]).all() and (x.max(0) <= [50, 7000, 10, 25.1, 121.6]).all()


def test_a_seed_draws_the_pages():
    same, other = data.words(1, 20), data.words(2, 20)
    np.testing.assert_array_equal(data.words(1, 20).ids, same.ids)
    assert len(same.ids) != len(other.ids)


@pytest.mark.parametrize("seed", range(3))
def test_no_paragraph_stands_on_both_sides(seed):
    """Several pages share whole paragraphs; without care up to a third of the test text is in the training text."""
    half, rest = (
        {tuple(run) for run in np.lib.stride_tricks.sliding_window_view(ids, 12).tolist()}
        for ids in data.words(seed, 50_000)[:2]
    )
    assert len(half & rest) < 0.02 * len(rest)


def test_pairs_count_what_follows_what():
    counts = data.pairs(np.array([0, 1, 0, 1, 1, 2]), size=3)
    np.testing.assert_array_equal(counts, [[0, 2, 0], [1, 1, 1], [0, 0, 0]])
    assert data.pairs(np.array([], dtype=int), size=3).sum() == 0


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: data.words(-1), ValueError, "seed=-1"),
        (lambda: data.words(0, 1), ValueError, "size=1"),
        (lambda: data.words(0, "48"), TypeError, "size='48'"),
        (lambda: data.pairs(np.array([0, 3]), size=3), ValueError, r"ids must be .* in 0..2"),
        (lambda: data.pairs(np.array([-1, 2]), size=3), ValueError, "ids must be"),
        (lambda: data.pairs(np.array([0.5]), size=3), ValueError, "ids must be"),
        (lambda: data.pairs(np.zeros((2, 2), dtype=int)), ValueError, "ids must be one row"),
    ],
)
def test_bad_input(call, error, says):
    with pytest.raises(error, match=says):
        call()
