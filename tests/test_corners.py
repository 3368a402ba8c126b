"""Every corner: ours gives what it promises."""

import pytest

from lessons_lib.parity.corners import CORNERS


@pytest.mark.parametrize("corner", CORNERS, ids=lambda c: c.title)
def test_ours_keeps_its_promise(corner):
    assert corner.answers()[0] == corner.expected


def test_ours_is_nan_only_where_pytorch_is_too():
    worse = [c.title for c in CORNERS if "nan" in c.expected and "nan" not in c.answers()[1]]
    assert worse == []
