"""Shares, areas and intervals against values that can be worked out by hand."""

import numpy as np
import pytest

from ..commands.corners import overlap
from ..commands.first_try import told_share
from ..commands.fuse import calibration_error, equal_error
from ..data.strong_reader import matched
from ..figures import auc, exact_interval, resampled, share, sigmoid
from ..screen_figures import Curve


def test_exact_intervals_close_at_none_and_all():
    assert exact_interval(0, 10) == (0.0, pytest.approx(0.3085, abs=1e-4))
    assert exact_interval(10, 10)[1] == 1.0
    assert share(5, 10) == "50.0 % [18.7, 81.3]" and told_share(0, 0) == "0 of 0"


def test_areas_count_ties_half():
    assert auc([1, 2, 3, 4], [False, False, True, True]) == 1
    assert auc([1, 1, 1, 1], [False, True, False, True]) == 0.5


def test_intervals_resample_groups_and_not_rows():
    values, groups = np.repeat([0.0, 1.0], 50), np.repeat(["a", "b"], 50)
    assert list(resampled(lambda rows: values[rows].mean(), groups)) == [0.0, 1.0]


def test_error_rates_meet_where_classes_are_apart():
    scores, attack = np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])
    assert Curve(scores, attack).figures()[:2] == (1.0, 0.0) and equal_error(scores, attack) == 0
    assert calibration_error(np.array([0.5, 0.5]), np.array([True, False])) == 0
    assert sigmoid(0.0) == 0.5


def test_readings_are_compared_in_order():
    assert matched("abxd", "abcd") == 0.75
    pytest.importorskip("torch")
    from ..commands.reader import distance, well_formed

    assert distance("kitten", "sitting") == 3
    assert well_formed("11010519491231002X") and not well_formed("11010519491231002x")


def test_quadrilaterals_overlap_wholly_with_themselves():
    quad = [[10, 10], [90, 10], [90, 60], [10, 60]]
    assert overlap(quad, quad, 100, 80) == 1
    half = [[10, 10], [50, 10], [50, 60], [10, 60]]
    assert overlap(quad, half, 100, 80) == pytest.approx(0.5, abs=0.01)
