"""Records on disk: equal when read, never half, and hostile ones refused with the reason."""

import io
import json
import os
import zipfile
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medgemma_dash import Record, read_record
from medgemma_dash.core import parquet, record_reading
from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.npz import npz_bytes
from medgemma_dash.core.record import RecordProvenance
from medgemma_dash.core.record_files import HEAD, MAPS
from medgemma_dash.core.record_files import record_files as files_of


def make_record(seed: int = 0) -> Record:
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "token": np.arange(3),
            "text": ["Yes", " <b>no</b>", ""],
            "value": [random.random(), np.nan, -0.0],
            "special": [False, True, False],
        }
    )
    return Record(
        kind="evidence",
        plan={"asked": {"prompt": "Fluid?"}, "seed": seed},
        tables={"words": table, "swaps": table[:0]},
        provenance=RecordProvenance(
            "/home/somebody/checkpoint", "abc", False, "cpu", "float32", ("12ab",),
            (("torch", "2"),), 1.5,
        ),
        maps={"chefer": random.random((2, 3), np.float32)},
    )  # fmt: skip


@pytest.fixture(params=["record", "record.zip"])
def place(request, tmp_path):
    return tmp_path / "new" / request.param


def same(one: Record, other: Record) -> None:
    assert one.kind == other.kind
    assert one.plan == other.plan
    assert one.provenance == other.provenance
    assert list(one.tables) == list(other.tables)
    for name in one.tables:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])
    assert list(one.maps) == list(other.maps)
    for name in one.maps:
        np.testing.assert_array_equal(one.maps[name], other.maps[name])


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


def read_back(record: Record) -> Record:
    return record_reading.record_of(files_of(record))


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ResultFileError, match="is no record"):
        make_record().save(tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_later_minor_version_is_read_and_a_later_major_one_refused(tmp_path):
    later = changed({"version": [1, 7], "more": {"than": "is known"}})
    same(record_reading.record_of(later), read_back(make_record()))
    with pytest.raises(ResultFileError, match="newer one"):
        record_reading.record_of(changed({"version": [2, 0]}))


def changed(head: dict[str, object], files: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """A record's files with another head, which knows the digests of what it names."""
    every = files_of(make_record()) | (files or {})
    written = json.loads(every[HEAD])
    written["files"] |= {name: sha256(data).hexdigest() for name, data in (files or {}).items()}
    return every | {HEAD: json.dumps(written | head).encode()}


def as_table(**columns: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, store_schema=False)
    return buffer.getvalue()


def npy(header: str, numbers: bytes = b"") -> bytes:
    """An .npz with one array whose header says so."""
    padded = header.encode().ljust(117) + b"\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + numbers
        archive.writestr("chefer.npy", member)
    return buffer.getvalue()


LONG = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), ["x" * 50_000])
HOSTILE = {
    "no head": ({}, {}, "holds no record.json"),
    "no JSON": ({HEAD: b"[" * 100_000}, {}, "no JSON"),
    "another document": ({HEAD: b'{"format": "x"}'}, {}, "format"),
    "no version": ({}, {"version": None}, "states no version"),
    "a table of five gigabytes in a small file": (
        {"words.parquet": as_table(text=LONG)}, {}, "takes more than",
    ),
    "a column of lists": ({"words.parquet": as_table(text=[[1]])}, {}, "a column of list"),
    "no Parquet": ({"words.parquet": b"PAR1"}, {}, "no Parquet table"),
    "an array of a petabyte": (
        {MAPS: npy("{'descr': '<f4', 'fortran_order': False, 'shape': (16777216, 16777216)}")},
        {}, "not as many numbers",
    ),
    "an array of objects": (
        {MAPS: npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"12345678")},
        {}, "float32",
    ),
    "an array with code in its header": (
        {MAPS: npy("__import__('os').system('true')")}, {}, "cannot be read",
    ),
    "a map of four dimensions": (
        {MAPS: npz_bytes({"a": np.zeros((1, 1, 1, 1), np.float32)})}, {}, "what a record says",
    ),
    "no zip": ({MAPS: b"PK\x03\x04"}, {}, "cannot be read"),
    "a provenance of nothing": ({}, {"provenance": {}}, "what a record says"),
    "a kind that is no name": ({}, {"kind": "<script>"}, "what a record says"),
    "a list for a plan": ({}, {"plan": [1]}, "what a record says"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_record_made_by_hand_is_refused_with_its_reason(case, tmp_path, monkeypatch):
    files, head, reason = HOSTILE[case]
    monkeypatch.setattr(record_reading, "MOST_BYTES", 512 << 20)
    every = changed(head, {k: v for k, v in files.items() if k != HEAD}) | files
    if case == "no head":
        del every[HEAD]
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
