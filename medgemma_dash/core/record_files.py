"""Records on disk: a folder, or one zip file, of record.json, a Parquet per table and maps.npz.

record.json names every other file with its sha256, so that a record that was cut off or put
together from two is told from a whole one.
"""

import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.notices import notices
from medgemma_dash.core.npz import npz_bytes
from medgemma_dash.core.parquet import parquet_bytes
from medgemma_dash.core.record import Record

FORMAT = "medgemma-dash/record"
VERSION = (1, 0)  # a reader of 1.0 reads every later 1.x; what is added there it leaves out
HEAD, MAPS = "record.json", "maps.npz"


def check_place(path: Path) -> None:
    """Find out before the work whether a record can be saved there; raises ResultFileError."""
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent):
            _check_free(path)


def save_record(record: Record, path: Path) -> None:
    """See `Record.save`."""
    files = record_files(record)
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_free(path)
        if path.suffix.lower() == ".zip":
            _write_zip(path, files)
        else:
            _write_folder(path, files)


def save_beside(record: Record, folder: Path) -> None:
    """Write a record into a folder that holds other files, record.json last.

    Until that stands the folder holds no record. Raises ResultFileError.
    """
    files = record_files(record)
    for left in folder.glob(".writing-*"):  # by a process that was killed at this
        shutil.rmtree(left, ignore_errors=True)
    with _writing(folder), tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as place:
        for name, data in files.items():
            with Path(place, name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for name in files:
            os.replace(Path(place, name), folder / name)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultFileError(
            f"The record cannot be written to {path}: {error.strerror or error}. Nothing of it "
            "was kept there; choose another place, or make room."
        ) from error


def _check_free(path: Path) -> None:
    """An older record may be replaced, anything else may not."""
    if path.suffix.lower() == ".zip":
        free = not path.exists() or _is_packed_record(path)
    else:
        empty = path.is_dir() and not any(path.iterdir())
        free = not path.exists() or empty or (path / HEAD).is_file()
    if not free:
        raise ResultFileError(
            f"{path} is there already and is no record. Choose an empty folder or another name."
        )


def _is_packed_record(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return HEAD in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def record_files(record: Record) -> dict[str, bytes]:
    """The files of a record by name, record.json last; equal records have equal files."""
    files = {f"{name}.parquet": parquet_bytes(table) for name, table in record.tables.items()}
    if record.maps:
        files[MAPS] = npz_bytes(record.maps)
    provenance = asdict(record.provenance)
    provenance["model_name"] = public_model_name(record.provenance.model_name)
    provenance["versions"] = dict(record.provenance.versions)
    head = {
        "format": FORMAT,
        "version": VERSION,
        "notices": notices(record.provenance.is_demo),
        "kind": record.kind,
        "plan": dict(record.plan),
        "provenance": provenance,
        "files": {name: sha256(data).hexdigest() for name, data in files.items()},
    }
    written = json.dumps(head, ensure_ascii=False, allow_nan=False, indent=1)
    return files | {HEAD: written.encode()}


def record_zip(record: Record) -> bytes:
    """The record as the bytes of one zip file; equal records have equal bytes."""
    return _packed(record_files(record))


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as place:
        whole = Path(place, path.name)
        whole.write_bytes(_packed(files))
        os.replace(whole, path)


def _write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """All files into a new folder, which then takes the old one's place."""
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as place:
        new, old = Path(place, "new"), Path(place, "old")
        new.mkdir()
        for name, data in files.items():
            (new / name).write_bytes(data)
        if path.exists():
            os.rename(path, old)
        os.rename(new, path)
        shutil.rmtree(old, ignore_errors=True)
