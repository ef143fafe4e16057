from __future__ import annotations

import pytest
from bars import Bar

from edge_vc.workers.progress import PushedProgress, no_progress


def test_no_progress_passes_items_through() -> None:
    assert list(no_progress(iter("abc"), 3, "letters")) == list("abc")


@pytest.mark.parametrize("total", [1000, 7])
def test_a_share_is_shown_in_units_of_the_total(total: int) -> None:
    bar = Bar()
    pushed = PushedProgress(bar, "work", total)
    for share in (0.0, 0.5, 0.25, 1.0, 1.5):
        pushed.reach(share)
        if share in (0.5, 0.25):
            assert bar.done[-1] == round(total / 2)
    assert bar.shown == [(total, "work")]
    assert bar.done == list(range(total + 1))


def test_closing_ends_a_display_that_is_not_finished() -> None:
    bar = Bar()
    pushed = PushedProgress(bar, "work", 10)
    pushed.reach(0.3)
    assert not bar.closed
    pushed.close()
    assert bar.closed
    PushedProgress(no_progress, "nothing to close").close()
