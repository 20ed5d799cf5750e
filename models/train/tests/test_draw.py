"""The same seed draws the same picture, another seed another one; nothing outside the seed has a say."""

import cv2
import numpy as np
import pytest

from ..draw.cover_maps import COLUMNS, MAPS, ROWS
from ..draw.covers import covered_view, drawn_document
from ..draw.documents import view
from ..draw.faces import KINDS, MAKERS, SHARES
from ..draw.faults import LAY, faulty
from ..draw.lines import line
from ..draw.numbers import (
    code_check,
    code_consistent,
    id_consistent,
    id_number,
    mrz,
    whole_code,
    zone_consistent,
    zone_line,
)
from ..draw.print import TRAINING
from ..draw.scenes import scene
from ..draw.simple import Material
from ..draw.stock import Stock
from ..draw.targets import CELLS, FINE, grid, peaks_at, target
from ..draw.text_lines import ROWS as TEXT_ROWS
from ..draw.text_lines import TEXTS, drawn_line
from ..draw.titled import card, paper, photographed

FACES = [(kind, maker) for kind, makers in MAKERS.items() for maker, _ in makers]


def twice(draw):
    """Draws with one seed, with another in between, and with the first again."""
    first, other, again = draw(1), draw(2), draw(1)
    assert np.array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()
    return first


@pytest.mark.parametrize("kind, maker", FACES, ids=[maker.__name__ for _, maker in FACES])
def test_a_face_is_the_same_for_the_same_seed(stock, kind, maker):
    face = twice(lambda seed: maker(stock, np.random.default_rng(seed)))
    assert face.dtype == np.uint8 and face.ndim == 3 and kind in KINDS


def test_shares_of_kinds_and_of_makers_add_up():
    assert len(SHARES) == len(KINDS) and sum(SHARES) == pytest.approx(1)
    for makers in MAKERS.values():
        assert sum(share for _, share in makers) == pytest.approx(1)


def test_a_view_of_a_document_is_the_same_for_the_same_seed(stock):
    picture = twice(lambda seed: view(stock, seed)[0])
    assert picture.shape == (120, 192, 3)


def test_a_scene_is_the_same_for_the_same_seed_and_its_map_holds_its_document(photos):
    material = Material([photos[0]], photos, photos)
    for real in (None, material):
        assert twice(lambda seed, real=real: scene(photos, seed, real)[0]).shape == (192, 192, 3)
    for seed in range(12):
        _, (document, _, peaks), corners = scene(photos, seed)
        assert document.any() == peaks.any() == (not np.isnan(corners).any())


def test_a_line_is_the_same_for_the_same_seed(typeset):
    strip = twice(lambda seed: line(np.random.default_rng(seed), *typeset, TRAINING)[0])
    assert strip.shape[0] == 32 and strip.shape[1] % TRAINING.step == 0


def test_numbers_hold_where_they_are_right_and_fail_where_they_are_altered():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        assert id_consistent(id_number(rng)) and not id_consistent(id_number(rng, False))
        assert zone_consistent(zone_line(rng)) and not zone_consistent(zone_line(rng, False))
        assert len(mrz(rng)) in (30, 36, 44)


def test_what_is_laid_over_a_document_is_named_where_it_lies(stock):
    paper = drawn_document(stock, np.random.default_rng(3))
    nothing = np.zeros((len(MAPS), ROWS, COLUMNS), np.uint8)
    twice(lambda seed: covered_view(paper, nothing, np.random.default_rng(seed), stock)[0])
    drawn = [covered_view(paper, nothing, np.random.default_rng(seed), stock)[1] for seed in range(12)]
    assert any((maps[0] == 1).any() for maps in drawn)
    bare = covered_view(paper, nothing, np.random.default_rng(1), stock, bare=True)[1]
    assert not bare.any()


@pytest.mark.parametrize("name", LAY)
def test_a_fault_changes_a_photograph_alike_for_the_same_seed(photos, name):
    picture = photos[1].astype(np.float32)
    laid = twice(lambda seed: LAY[name](np.random.default_rng(seed), picture.copy(), 14.0))
    assert laid.shape == picture.shape


def test_the_first_step_of_a_ladder_is_the_photograph_itself(photos):
    picture, names = faulty(np.random.default_rng(0), photos[0], 14.0, 0)
    assert picture is photos[0] and names == ()


def test_a_target_peaks_at_the_corners_of_its_document():
    quad = (grid(20) + 8) * FINE
    document, device, corners = target([quad], [])
    assert document[12, 12] == 255 and document[40, 40] == 0 and not device.any()
    assert corners[8, 8] == corners.max() and corners[18, 18] == 0
    assert peaks_at(()).shape == (CELLS, CELLS) and not peaks_at(()).any()


@pytest.mark.parametrize("kind", TEXTS)
def test_a_line_of_a_document_is_the_same_for_the_same_seed(kind):
    strip = twice(lambda seed: drawn_line(np.random.default_rng(seed), kind)[0])
    assert strip.dtype == np.uint8 and strip.shape[0] == TEXT_ROWS and strip.shape[1] % 8 == 0


@pytest.mark.parametrize(("maker", "name"), ((card, "临时居民身份证"), (card, "居住证"), (paper, "营业执照")))
def test_a_titled_document_is_photographed_the_same_for_the_same_seed(maker, name):
    def drawn(seed):
        rng = np.random.default_rng(seed)
        return np.frombuffer(photographed(maker(Stock([]), rng, name), rng), np.uint8)

    assert cv2.imdecode(twice(drawn), cv2.IMREAD_COLOR).shape[2] == 3


def test_credit_codes_hold_or_do_not_as_asked():
    # The example of GB 32100-2015.
    assert code_check("91350100M000100Y4") == "3" and code_consistent("91350100M000100Y43")
    for seed in range(50):
        assert code_consistent(whole_code(np.random.default_rng(seed)))
        assert not code_consistent(whole_code(np.random.default_rng(seed), right=False))
