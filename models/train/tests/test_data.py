"""Sources are split whole, views depend on their names alone, and the labels that are kept here are well formed."""

import csv
import os
from dataclasses import replace

import cv2
import numpy as np
import pytest

from ..data.borders import DEVICES_AS_OBJECTS
from ..data.captures import FOLDS, ORIGINAL, SCREEN, assign_folds, generator, groups_of, load_photographs
from ..data.genuine import Document, known_maps, marked
from ..data.looks import about, around, box_of
from ..data.tiles import read_pixels
from ..data.views import view
from ..draw.cover_maps import MAPS
from ..nets.fit import Table, Without
from ..paths import DATASETS


@pytest.fixture
def folder(tmp_path, photos):
    """`captures.csv` with sources of several sizes, and `material.csv` with a card."""
    rows, k = [], 0
    for source, count in (("a/big", 12), ("b/middle", 6), ("c/small", 3), ("d/small", 3), ("e/one", 1), ("f/one", 1)):
        for _ in range(count):
            cv2.imwrite(str(tmp_path / f"{k}.jpg"), photos[k % 3])
            rows.append({"path": f"{k}.jpg", "label": (SCREEN, ORIGINAL)[k % 2], "content": "photo", "source": source})
            k += 1
    names = "path overview label content source width height crop_x crop_y".split()
    with open(tmp_path / "captures.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows({**row, "width": 300, "height": 220} for row in rows)
    with open(tmp_path / "material.csv", "w", newline="") as file:
        file.write("path,kind,source,notes\n0.jpg,cards,g/cards,300x220\n1.jpg,textures,h/cloth,\n")
    return str(tmp_path)


def test_labels_of_a_folder_are_read(folder):
    pictures = load_photographs(folder)
    assert len(pictures) == 27 and {p.label for p in pictures} == {SCREEN, ORIGINAL}
    assert [p.kind for p in pictures].count("cards") == 1
    assert (pictures[0].width, pictures[0].height, pictures[0].crop) == (300, 220, (0, 0))


def test_a_source_is_never_in_two_folds(folder):
    pictures = load_photographs(folder)
    fold_of = assign_folds(pictures)
    assert set(fold_of) == {p.group for p in pictures} and set(fold_of.values()) == set(range(FOLDS))
    table = Table.of(pictures, {})
    for group in set(table.group):
        assert len(set(table.fold[table.group == group])) == 1


def test_a_part_without_named_sources_has_none_of_their_captures(folder, tmp_path):
    pictures = load_photographs(folder)
    table, rows = Table.of(pictures, {}), tmp_path / "left_out.csv"
    rows.write_text(f"path,source\n{pictures[0].path},{pictures[0].source}\n")
    part = Without(groups_of(rows))
    assert (table.taught(part) == (table.group != pictures[0].group)).all()
    assert table.taught("all").all() and (table.taught(2) == (table.fold != 2)).all()


def test_folds_do_not_depend_on_the_order_of_files(folder):
    pictures = load_photographs(folder)
    assert assign_folds(pictures) == assign_folds(pictures[::-1])


def test_simulated_captures_do_not_move_photographs_between_folds(folder):
    pictures = load_photographs(folder)
    made = [replace(p, kind="simulated", group=f"simulated:{k}") for k, p in enumerate(pictures)]
    assert (Table.of(pictures + made, {}).fold[: len(pictures)] == Table.of(pictures, {}).fold).all()


def test_a_view_depends_on_file_and_name_alone(folder):
    picture = load_photographs(folder)[0]
    for name in ("plain", "neutral", "central", "print0", "train1", "print1"):
        first, again = (view(picture, read_pixels(picture), name) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, again))
        assert [part.shape[1:] for part in first] == [(128, 128, 3), (192, 3), (192, 3)]
    with pytest.raises(ValueError):
        view(picture, read_pixels(picture), "sideways")


def test_a_generator_depends_on_its_arguments_alone():
    assert generator("a", 1).random() == generator("a", 1).random() != generator("a", 2).random()


def test_the_second_look_goes_where_something_was_found():
    maps = np.full((3, 48, 48), -1.0)
    assert box_of(maps) == () == about(()) and around(()) != ()
    maps[0, 12:24, 12:30] = 1
    assert box_of(maps) == (0.25, 0.25, 0.625, 0.5)


def rows(name):
    with open(os.path.join(DATASETS, name), newline="") as file:
        return list(csv.DictReader(file))


def test_cases_name_captures_once_and_hold_the_case_that_borders_ask_for():
    cases = rows("cases.csv")
    pairs = [(row["path"], row["case"]) for row in cases]
    assert len(cases) > 500 and len(set(pairs)) == len(pairs) and all(all(pair) for pair in pairs)
    assert DEVICES_AS_OBJECTS in {case for _, case in pairs}


def test_what_lies_over_documents_is_marked_with_polygons_in_shares():
    found = marked()
    assert len(found) > 40
    for marks in found.values():
        for what, points in marks:
            assert what == "left out" or what.removeprefix("perhaps ") in MAPS
            assert len(points) == 0 or (len(points) > 2 and points.min() >= -0.5 and points.max() <= 1.5)


def test_a_mark_is_found_again_on_the_document_that_is_cut_out():
    corners = np.array([[20, 20], [180, 20], [180, 120], [20, 120]], np.float32)
    half = np.array([[0, 0], [0.5, 0], [0.5, 1], [0, 1]], np.float32)
    document = Document("p", "g", "card", np.zeros((140, 200, 3), np.uint8), corners, marks=(("covered", half),))
    covered, glare = known_maps(document, corners)
    assert (covered[:, :11] == 1).all() and not covered[:, 13:].any() and not glare.any()
