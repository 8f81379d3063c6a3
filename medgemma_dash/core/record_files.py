"""Records on disk: a folder, or one zip file, of record.json, a Parquet per table and maps.npz.

record.json names every other file with its sha256, so that a record that was cut off or put
together from two is told from a whole one. What is read may have been made by anybody.
"""

import io
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from medgemma_dash.core.errors import ResultFileError, quoted
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.notices import notices
from medgemma_dash.core.npz import npz_bytes, read_npz
from medgemma_dash.core.parquet import parquet_bytes, read_parquet
from medgemma_dash.core.record import TABLE_NAME, Record, RecordProvenance

FORMAT = "medgemma-dash/record"
VERSION = (1, 0)  # a reader of 1.0 reads every later 1.x; what is added there it leaves out
HEAD, MAPS = "record.json", "maps.npz"
MOST_FILES = 64
MOST_BYTES = 1 << 30  # of all files, and of each table and all maps as they are in memory
MOST_HEAD_BYTES = 64 << 20


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


def read_record(path: str | Path) -> Record:
    """Read what `Record.save` wrote; no model is needed.

    Raises ResultFileError, with the reason, for what is missing, cut off, of a newer version, or
    no record.
    """
    path = Path(path)
    try:
        return record_of(_read_folder(path) if path.is_dir() else _read_zip(path))
    except ResultFileError as error:
        raise ResultFileError(f"{path.name} is not a record that can be opened: {error}") from error


def record_of(files: Mapping[str, bytes]) -> Record:
    """The record of these files; raises ResultFileError."""
    if HEAD not in files:
        raise ResultFileError(f"it holds no {HEAD}.")
    head = _head(files[HEAD])
    named = head["files"]
    for name, digest in named.items():
        if name not in files:
            raise ResultFileError(f"{quoted(name)} is missing. It was cut off: save it anew.")
        if sha256(files[name]).hexdigest() != digest:
            raise ResultFileError(f"{quoted(name)} is not what was saved. Save the record anew.")
    tables = {
        name.removesuffix(".parquet"): read_parquet(files[name], name, most_bytes=MOST_BYTES)
        for name in named
        if name.endswith(".parquet")
    }
    maps = read_npz(files[MAPS], most_bytes=MOST_BYTES) if MAPS in named else {}
    try:
        facts = head["provenance"]
        known = {name: facts[name] for name in RecordProvenance.__dataclass_fields__}
        provenance = RecordProvenance(
            **known
            | {"images": tuple(facts["images"]), "versions": tuple(facts["versions"].items())}
        )
        return Record(head["kind"], head["plan"], tables, provenance, maps)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultFileError(f"its {HEAD} does not say what a record says.") from error


def _head(data: bytes) -> dict[str, Any]:
    try:
        head = json.loads(data)
    except (ValueError, RecursionError):
        raise ResultFileError(f"its {HEAD} is no JSON. It was cut off, or is no record.") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ResultFileError(f"its {HEAD} does not say that its format is {FORMAT}.")
    version = head.get("version")
    if not isinstance(version, list) or not version or not isinstance(version[0], int):
        raise ResultFileError(f"its {HEAD} states no version.")
    if version[0] != VERSION[0]:
        raise ResultFileError(
            f"it is of version {quoted(version[0])}, and {VERSION[0]} is read here. Open it with "
            "the program that wrote it, or a newer one."
        )
    files = head.get("files")
    if not isinstance(files, dict) or not all(isinstance(name, str) for name in files):
        raise ResultFileError(f"its {HEAD} lists no files.")
    return head


def _write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as place:
        whole = Path(place, path.name)
        with zipfile.ZipFile(whole, "w") as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
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


def _read_folder(folder: Path) -> dict[str, bytes]:
    """The files that record.json names; links and other names are not followed."""
    head = folder / HEAD
    if not head.is_file():
        raise ResultFileError(f"it holds no {HEAD}.")
    files, room = {HEAD: _read_file(head, MOST_HEAD_BYTES)}, MOST_BYTES
    for name in _allowed(_head(files[HEAD])["files"]):
        place = folder / name
        if place.is_symlink() or not place.is_file():
            raise ResultFileError(f"{quoted(name)} is missing. It was cut off: save it anew.")
        files[name] = _read_file(place, room)
        room -= len(files[name])
    return files


def _read_file(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ResultFileError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if len(data) > most:
        raise ResultFileError(f"{path.name} is larger than {most >> 20} MB.")
    return data


def _read_zip(path: Path) -> dict[str, bytes]:
    data = _read_file(path, MOST_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member.filename: member for member in archive.infolist()}
            names = _allowed([name for name in members if name != HEAD])
            if sum(member.file_size for member in members.values()) > MOST_BYTES:
                raise ResultFileError(f"it takes more than {MOST_BYTES >> 20} MB.")
            kept = (name for name in (*names, HEAD) if name in members)
            return {name: archive.read(members[name]) for name in kept}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ResultFileError("it is no zip file, or was cut off.") from error


def _allowed(names: Iterable[str]) -> list[str]:
    """Names of tables and of the maps, and no way out of the folder."""
    listed = list(names)
    if len(listed) > MOST_FILES:
        raise ResultFileError(f"it lists more than {MOST_FILES} files.")
    for name in listed:
        stem = name.removesuffix(".parquet")
        if name != MAPS and (stem == name or not TABLE_NAME.fullmatch(stem)):
            raise ResultFileError(f"it names a file {quoted(name)}, which no record has.")
    return listed
