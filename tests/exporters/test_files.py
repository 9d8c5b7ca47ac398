"""Formats by suffix, and names that are never taken twice."""

from __future__ import annotations

import pytest

from exporters import UnknownFormatError, numbered_path, read_take, write_take


def test_unknown_suffix_names_the_known_ones(make_take, tmp_path):
    with pytest.raises(UnknownFormatError, match=r"\.npz, \.bvh"):
        write_take(make_take(3), tmp_path / "take.xyz")
    with pytest.raises(UnknownFormatError, match=r"\.journal"):
        read_take(tmp_path / "take.txt")


def test_suffix_in_capitals(make_take, tmp_path):
    write_take(make_take(3), tmp_path / "take.BVH")
    assert len(read_take(tmp_path / "take.BVH")) == 3


def test_numbered_path_keeps_files_that_belong_together_under_one_stem(tmp_path):
    wished = tmp_path / "walk_person1.npz"
    assert numbered_path(wished, (".npz", ".bvh")) == wished
    (tmp_path / "walk_person1.bvh").touch()
    assert numbered_path(wished) == wished
    assert numbered_path(wished, (".npz", ".bvh")).name == "walk_person1_2.npz"
    (tmp_path / "walk_person1_2.npz").touch()
    assert numbered_path(wished, (".npz", ".bvh")).name == "walk_person1_3.npz"
