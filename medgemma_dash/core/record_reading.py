"""Records from disk, or from what somebody uploaded: whoever made them, they are not trusted.

Nothing of a file is unpacked before its name, its size and its sha256 are what they should be.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from medgemma_dash.core.errors import ResultFileError, quoted
from medgemma_dash.core.npz import read_npz
from medgemma_dash.core.parquet import read_parquet
from medgemma_dash.core.record import TABLE_NAME, Record, RecordProvenance
from medgemma_dash.core.record_files import FORMAT, HEAD, MAPS, VERSION
from medgemma_dash.core.zip_reading import zip_members

MOST_FILES = 64
MOST_BYTES = 1 << 30  # of all files, of all tables as they are in memory, and of all maps
LONGEST_FACT = 1000  # characters of a model's name, a version, a digest
_HEAD_SHARE = 16  # JSON takes far more room in memory than in its file


def read_record(path: str | Path) -> Record:
    """Read what `Record.save` wrote; no model is needed.

    Raises ResultFileError, with the reason, for what is missing, cut off, of a newer version, or
    no record.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return record_of(_read_folder(path), most_bytes=MOST_BYTES)
        return record_of_zip(_read_file(path, MOST_BYTES), most_bytes=MOST_BYTES)
    except ResultFileError as error:
        raise ResultFileError(f"{path.name} is not a record that can be opened: {error}") from error


def record_of_zip(data: bytes, *, most_bytes: int) -> Record:
    """The record in the bytes of one zip file; raises ResultFileError.

    most_bytes: of all files unpacked, of all tables as they are in memory, and of all maps.
    """

    def check(names: list[str]) -> None:
        _allowed(name for name in names if name != HEAD)

    files = dict(zip_members(data, most_bytes=most_bytes, check=check))
    return record_of(files, most_bytes=most_bytes)


def record_of(files: Mapping[str, bytes], *, most_bytes: int) -> Record:
    """The record of these files, under the same limits; raises ResultFileError."""
    if HEAD not in files:
        raise ResultFileError(f"it holds no {HEAD}.")
    if sum(map(len, files.values())) > most_bytes:
        raise too_large(most_bytes)
    if len(files[HEAD]) > most_bytes // _HEAD_SHARE:
        raise ResultFileError(f"its {HEAD} takes more than {most_bytes // _HEAD_SHARE >> 20} MB.")
    head = _head(files[HEAD])
    named = _allowed(head["files"])
    for name in named:
        if name not in files:
            raise ResultFileError(f"{quoted(name)} is missing. It was cut off: save it anew.")
        if sha256(files[name]).hexdigest() != head["files"][name]:
            raise ResultFileError(f"{quoted(name)} is not what was saved. Save the record anew.")
    tables = _tables({name: files[name] for name in named if name != MAPS}, most_bytes)
    maps = read_npz(files[MAPS], most_bytes=most_bytes) if MAPS in named else {}
    try:
        return Record(head["kind"], head["plan"], tables, _provenance(head["provenance"]), maps)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ResultFileError(f"its {HEAD} does not say what a record says.") from error


def too_large(most_bytes: int) -> ResultFileError:
    """The error for a record that takes more."""
    return ResultFileError(f"it takes more than {most_bytes >> 20} MB.")


def _tables(files: Mapping[str, bytes], most_bytes: int) -> dict[str, Any]:
    tables, taken = {}, 0
    for name, data in files.items():
        table = read_parquet(data, name, most_bytes=most_bytes)
        taken += int(table.memory_usage(index=False).sum())
        if taken > most_bytes:
            raise too_large(most_bytes)
        tables[name.removesuffix(".parquet")] = table
    return tables


def _provenance(facts: dict[str, Any]) -> RecordProvenance:
    """What a head says of it; raises TypeError and ValueError where that is something else."""
    texts = ("model_name", "model_revision", "device", "dtype")
    images, versions = facts["images"], facts["versions"].items()
    said = [*(facts[name] for name in texts), *images, *(text for _, text in versions)]
    if not isinstance(images, list) or not all(isinstance(one, str) for one in said):
        raise TypeError("texts")
    if any(len(one) > LONGEST_FACT for one in said):
        raise ValueError("long texts")
    if type(facts["is_demo"]) is not bool or type(facts["seconds"]) not in (int, float):
        raise TypeError("a truth and a number")
    return RecordProvenance(
        **{name: facts[name] for name in texts},
        is_demo=facts["is_demo"],
        images=tuple(images),
        versions=tuple(versions),
        seconds=float(facts["seconds"]),
    )


def _head(data: bytes) -> dict[str, Any]:
    try:
        head = json.loads(data, parse_constant=_refused)
        # Neither half of a surrogate pair nor 1e999 can be written again.
        json.dumps(head, ensure_ascii=False, allow_nan=False).encode()
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


def _refused(constant: str) -> None:
    """NaN and infinity, which no JSON has."""
    raise ValueError(constant)


def _read_folder(folder: Path) -> dict[str, bytes]:
    """The files that record.json names; links and other names are not followed."""
    head = folder / HEAD
    if not head.is_file():
        raise ResultFileError(f"it holds no {HEAD}.")
    files, room = {HEAD: _read_file(head, MOST_BYTES // _HEAD_SHARE)}, MOST_BYTES
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
