"""Records without a model: as a run writes them, and as anybody may have made them by hand, each
with the reason for which it is refused.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from medgemma_dash.core import record_reading
from medgemma_dash.core.npz import npz_bytes
from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.core.record_files import HEAD, MAPS
from medgemma_dash.core.record_files import record_files as files_of

# Text, word, log-probability, what a blank image takes; the last is a control token.
TOKENS = [("Yes", 0, -0.1, 2.0), (" effu", 1, -0.2, 0.02), ("sion", 1, -0.1, 0.01), ("", 2, 0.0, 0)]


def evidence_record(**changes: Any) -> Record:
    """One as a run would write it; changes: of its plan, or of columns of its words."""
    texts, words, nats, lost = zip(*TOKENS, strict=True)
    columns = {
        "token": range(len(TOKENS)),
        "text": texts,
        "log_probability": nats,
        "blank": np.subtract(nats, lost),
        "swapped": np.subtract(nats, lost) / 2,
        "no_image": nats,
        "image_effect": np.array(lost, float),
        "layers_with_access": 6,
        "special": [text == "" for text in texts],
        "word": words,
        "mark": "",
    }
    plan = {"asked": {"prompt": "Fluid?", "answer": "Yes effusion", "forced": False}, "donors": []}
    answer = pd.DataFrame(
        {
            "content_words": [1],
            "mean_image_effect": [0.03],
            "log_probability_variance": [0.1],
            "evidence_magnitude": [0.2],
        }
    )
    return Record(
        "evidence",
        plan | {name: changes[name] for name in changes if name not in columns},
        {
            "words": pd.DataFrame(columns | {n: changes[n] for n in changes if n in columns}),
            "answer": answer,
        },
        RecordProvenance(
            "demo", "12", True, "cpu", "float32", ("ab" * 32,), (("torch", "2"),), 1.0
        ),
    )


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


def read_back(record: Record) -> Record:
    return read_files(files_of(record))


def read_files(files: Mapping[str, bytes]) -> Record:
    return record_reading.record_of(files, most_bytes=record_reading.MOST_BYTES)


def changed(head: dict[str, object], files: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """A record's files with another head, which knows the digests of what it names."""
    every = files_of(make_record()) | (files or {})
    written = json.loads(every[HEAD])
    written["files"] |= {name: sha256(data).hexdigest() for name, data in (files or {}).items()}
    return every | {HEAD: json.dumps(written | head).encode()}


def provenance(**facts: object) -> dict[str, object]:
    """A record's provenance with other facts."""
    every: dict[str, object] = json.loads(files_of(make_record())[HEAD])["provenance"]
    return every | facts


def as_table(**columns: object) -> bytes:
    return as_file(pa.table(columns))


def as_file(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, store_schema=False)
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
    "an array whose header is a Python expression without end": (
        {MAPS: npy("(" * 200 + "-" * 9000 + "1")}, {}, "does not begin as an array does",
    ),
    "a map of no numbers": (
        {MAPS: npz_bytes({"a": np.full((1, 1), np.inf, np.float32)})}, {},
        "holds what is no number",
    ),
    "no zip": ({MAPS: b"PK\x03\x04"}, {}, "cannot be read"),
    "arrays that are encrypted": (
        {MAPS: npz_bytes({"a": np.zeros((1, 1), np.float32)}).replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
        )}, {}, "is encrypted",
    ),
    "a provenance of nothing": ({}, {"provenance": {}}, "what a record says"),
    "a kind that is no name": ({}, {"kind": "<script>"}, "what a record says"),
    "a list for a plan": ({}, {"plan": [1]}, "what a record says"),
    "half of a character in a plan": ({}, {"plan": {"asked": "\ud800"}}, "no JSON"),
    "infinity in a plan": ({}, {"plan": {"seed": float("inf")}}, "no JSON"),
    "numbers for digests": ({}, {"provenance": provenance(images=[1])}, "what a record says"),
    "a page for a model's name": (
        {}, {"provenance": provenance(model_name="x" * 10_000)}, "what a record says",
    ),
    "a text for a truth": ({}, {"provenance": provenance(is_demo="no")}, "what a record says"),
    "two columns of one name": (
        {"words.parquet": as_file(pa.table([[1], [2]], names=["a", "a"]))}, {}, "two columns",
    ),
    "texts that are no UTF-8": (
        {"words.parquet": as_table(text=pa.array([b"\xff"]).view(pa.string()))}, {}, "no Parquet",
    ),
}  # fmt: skip


def hostile(case: str) -> tuple[dict[str, bytes], str]:
    """The files of this case, and the reason for which they are refused."""
    files, head, reason = HOSTILE[case]
    every = changed(head, {name: data for name, data in files.items() if name != HEAD}) | files
    if case == "no head":
        del every[HEAD]
    return every, reason


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """One zip of these files, packed by this method of zipfile's."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()
