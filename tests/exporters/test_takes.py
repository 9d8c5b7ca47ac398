"""Takes cut, held, moved and scaled; choices that formats honour or refuse."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from exporters import ExportError, ExportOptions, TakeFileError, read_take, resample, write_take, write_takes
from exporters.files import FORMATS, Format, suffix_of
from exporters.options import choices_for
from exporters.takes import held, moved_in_time, scaled, trimmed


def test_a_trim_keeps_times_and_what_was_seen(make_take):
    take = moved_in_time(make_take(61, observed=True), 7_000_000_000)
    part = trimmed(take, 0.5, 1.0)
    np.testing.assert_array_equal(part.timestamps_ns, take.timestamps_ns[15:31])
    np.testing.assert_array_equal(part.observations.frame_index, take.observations.frame_index[15:31])
    np.testing.assert_array_equal(part.observations.betas, take.observations.betas)
    np.testing.assert_array_equal(trimmed(take, 1.0).timestamps_ns, take.timestamps_ns[30:])
    assert len(trimmed(take, end_s=8.0, zero_ns=0)) == 31
    for wrong in ((5, None), (None, -1)):
        with pytest.raises(TakeFileError, match=r"found 0\.00 to 2\.00 s"):
            trimmed(take, *wrong)
    with pytest.raises(TakeFileError, match="no instant"):
        trimmed(replace(take, rotations_wxyz=take.rotations_wxyz[:0], root_translation=take.root_translation[:0],
                        timestamps_ns=take.timestamps_ns[:0], observations=None), 0, 1)  # fmt: skip


def test_held_takes_stand_still_outside(make_take):
    take = moved_in_time(make_take(31), 10**9)
    found = resample(held(take, 0, 3 * 10**9), 30).take
    assert len(found) == 91
    np.testing.assert_allclose(found.root_translation[:31], np.tile(take.root_translation[0], (31, 1)), atol=1e-6)
    np.testing.assert_allclose(found.rotations_wxyz[60:], np.tile(take.rotations_wxyz[-1], (31, 1, 1)), atol=1e-6)
    np.testing.assert_allclose(found.root_translation[30:61], take.root_translation, atol=1e-5)
    np.testing.assert_array_equal(held(take, 10**9, 10**9).timestamps_ns, take.timestamps_ns)


def test_scaled_takes_move_farther(make_take):
    take = make_take(5)
    np.testing.assert_allclose(scaled(take, 2).root_translation, take.root_translation * 2)
    np.testing.assert_allclose(scaled(take, 2).skeleton.offsets, take.skeleton.offsets * 2)


def test_every_format_says_what_it_is_and_takes_the_words_it_lists(make_take, tmp_path):
    for suffix, format_ in FORMATS.items():
        assert format_.summary
        assert suffix_of(f"x{suffix.upper()}") == suffix
        for name, words in format_.options.items():
            for word in words:
                path = tmp_path / f"{name}_{word}{suffix}"
                with suppress_missing_library():
                    write_takes([make_take(3)], path, ExportOptions(**{name: word}))
                    assert path.stat().st_size


@contextmanager
def suppress_missing_library():
    try:
        yield
    except ExportError as error:
        if "pip install" not in str(error):  # the library of an extra may be absent
            raise


def test_options_reach_the_writer_or_are_refused(make_take, tmp_path):
    write_take(make_take(3), tmp_path / "a.bvh", ExportOptions(fps=60, up="z"))
    assert len(read_take(tmp_path / "a.bvh")) == 5
    for wrong, message in (
        ({"fps": 30}, "fps: found 30, expected nothing"),
        ({"preset": "maya"}, "expected one of blender"),
    ):
        with pytest.raises(ValueError, match=message):
            write_take(make_take(3), tmp_path / "a.npz", ExportOptions(**wrong))
    with pytest.raises(ValueError, match=r"found 2, expected 1 for \.bvh"):
        write_takes([make_take(3)] * 2, tmp_path / "a.bvh")


def test_a_preset_comes_as_near_as_the_format_can():
    plain = Format("", print, {"t_pose": ("none", "frame"), "unit": ("cm",)}, flags={"t_pose": "t_pose_first"})
    assert choices_for(ExportOptions(preset="unity"), ".x", plain) == {"t_pose_first": True}
    assert choices_for(ExportOptions(preset="blender"), ".x", plain) == {"t_pose_first": False}
    assert choices_for(ExportOptions(preset="unity", t_pose="none"), ".x", plain) == {"t_pose_first": False}
    assert choices_for(ExportOptions(), ".x", plain) == {}
