"""Records on disk: equal when read, never half, and hostile ones refused with the reason."""

import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from medgemma_dash import read_record
from medgemma_dash.core import parquet, record_reading
from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.record_files import HEAD, MAPS
from medgemma_dash.core.record_files import record_files as files_of
from tests.made_records import (
    HOSTILE,
    changed,
    hostile,
    make_record,
    read_back,
    read_files,
    same,
    zipped,
)


@pytest.fixture(params=["record", "record.zip"])
def place(request, tmp_path):
    return tmp_path / "new" / request.param


def test_what_is_read_is_what_was_saved_but_for_a_folders_path(place):
    record = make_record()
    record.save(place)
    found = read_record(place)
    assert found.provenance.model_name == "checkpoint"
    same(found, replace(record, provenance=found.provenance))
    assert found.provenance == replace(record.provenance, model_name="checkpoint")
    assert np.signbit(found.tables["words"]["value"][2])
    assert os.listdir(place.parent) == [place.name], "something was left beside it"


def test_equal_records_have_equal_files():
    assert files_of(make_record()) == files_of(make_record())
    assert files_of(make_record(1)) != files_of(make_record())


def test_a_newer_record_takes_an_older_ones_place_whole(place, monkeypatch):
    make_record(0).save(place)
    make_record(1).save(place)
    same(read_record(place), read_back(make_record(1)))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace" if place.suffix else "rename", full)
    with pytest.raises(ResultFileError, match="No space left on device"):
        make_record(2).save(place)
    monkeypatch.undo()
    same(read_record(place), read_back(make_record(1)))
    assert os.listdir(place.parent) == [place.name]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ResultFileError, match="is no record"):
        make_record().save(tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_later_minor_version_is_read_and_a_later_major_one_refused(tmp_path):
    later = changed({"version": [1, 7], "more": {"than": "is known"}})
    same(read_files(later), read_back(make_record()))
    with pytest.raises(ResultFileError, match="newer one"):
        read_files(changed({"version": [2, 0]}))


@pytest.mark.parametrize("case", HOSTILE)
def test_a_record_made_by_hand_is_refused_with_its_reason(case, tmp_path, monkeypatch):
    every, reason = hostile(case)
    monkeypatch.setattr(record_reading, "MOST_BYTES", 512 << 20)
    folder, packed = tmp_path / "hostile", tmp_path / "hostile.zip"
    folder.mkdir()
    for name, data in every.items():
        (folder / name).write_bytes(data)
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in every.items():
            archive.writestr(name, data)
    for path in (folder, packed):
        with pytest.raises(ResultFileError, match=reason):
            read_record(path)


@pytest.mark.parametrize("name", ["../words.parquet", "/etc/passwd", "words.csv", "a/b.parquet"])
def test_a_record_names_no_file_outside_its_folder(name, tmp_path):
    with pytest.raises(ResultFileError, match="which no record has"):
        read_record(written(tmp_path, changed({"files": {name: "0"}})))
    packed = tmp_path / "r.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, b"")
        archive.writestr(HEAD, files_of(make_record())[HEAD])
    with pytest.raises(ResultFileError, match="which no record has"):
        read_record(packed)


def written(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_link_in_a_record_is_not_followed(tmp_path):
    make_record().save(tmp_path / "r")
    table = tmp_path / "r" / "words.parquet"
    table.rename(tmp_path / "elsewhere")
    table.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResultFileError, match="missing"):
        read_record(tmp_path / "r")


@pytest.mark.parametrize("name", ["words.parquet", MAPS])
def test_a_record_that_was_cut_off_or_mixed_is_told_from_a_whole_one(name, tmp_path):
    folder, packed = tmp_path / "r", tmp_path / "r.zip"
    make_record().save(folder)
    make_record().save(packed)
    (folder / name).write_bytes(files_of(make_record(1))[name])
    with pytest.raises(ResultFileError, match="is not what was saved"):
        read_record(folder)
    (folder / name).unlink()
    with pytest.raises(ResultFileError, match="missing"):
        read_record(folder)
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ResultFileError, match="cut off"):
        read_record(packed)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_with_any_wrong_byte_is_read_or_refused(method):
    """Of what zipfile has to believe: a file's beginning, and the directory behind the files."""
    whole = zipped(files_of(make_record()), method)
    assert read_zip(whole).kind == "evidence"
    directory = int.from_bytes(whole[-6:-2], "little")
    refused = 0
    for place in [*range(60), *range(directory, len(whole))]:
        for value in (0, 1, 12, 255):
            try:
                read_zip(whole[:place] + bytes([value]) + whole[place + 1 :])
            except ResultFileError:
                refused += 1
    assert refused > 500


def test_a_zip_that_unpacks_without_a_limit_is_refused():
    with pytest.raises(ResultFileError, match="packed in a way that is not read"):
        read_zip(zipped(files_of(make_record()), zipfile.ZIP_LZMA))


def read_zip(data):
    return record_reading.record_of_zip(data, most_bytes=1 << 20)


def test_what_is_missing_or_no_record_is_said(tmp_path):
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "nothing.zip"):
        with pytest.raises(ResultFileError, match=f"{path.name} is not a record"):
            read_record(path)


def test_a_record_holds_maps_and_names_of_the_stated_kind():
    record = make_record()
    for changes in (
        {"kind": "Evidence!"},
        {"tables": {"../words": record.tables["words"]}},
        {"maps": {"a/b": np.zeros((1, 1), np.float32)}},
        {"maps": {"a": np.zeros((1, 1, 1), np.float32)}},
    ):
        with pytest.raises(ValueError, match=r"name|float32"):
            replace(record, **changes)
    with pytest.raises(TypeError):
        record.tables["more"] = record.tables["words"]
    assert parquet.parquet_bytes(record.tables["words"])
