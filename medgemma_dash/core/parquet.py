"""Tables as Parquet files, written plainly and read with care."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from medgemma_dash.core.errors import ResultFileError, quoted

if TYPE_CHECKING:
    import pandas as pd


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """A table without its index; equal tables are equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    buffer = io.BytesIO()
    pq.write_table(arrow, buffer, compression="zstd")
    return buffer.getvalue()


def read_parquet(data: bytes, name: str, *, most_bytes: int) -> pd.DataFrame:
    """A table that anybody may have made; what it takes in memory is known before it is read.

    name: what an error calls it. Raises ResultFileError for what takes more than `most_bytes`, for
    columns of other than truths, numbers and texts, for two of one name, and for what is no Parquet
    file.
    Texts are read as numbers into a list of different texts, for a text that stands in a file
    once may stand in a table a million times.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        plain = pq.ParquetFile(io.BytesIO(data))
        cells = plain.metadata.num_rows * plain.metadata.num_columns
        for column in plain.schema_arrow:
            if not _is_plain(column.type):
                raise ResultFileError(
                    f"{quoted(name)} has a column of {column.type}, which no record has."
                )
        if len(set(plain.schema_arrow.names)) < len(plain.schema_arrow.names):
            raise ResultFileError(f"{quoted(name)} has two columns of one name.")
        texts = [column.name for column in plain.schema_arrow if _is_text(column.type)]
        size = 8 * cells + sum(_group_bytes(plain.metadata))
        _check_size(size, name, most_bytes)
        read = pq.ParquetFile(io.BytesIO(data), read_dictionary=texts).read()
        for text in texts:
            for chunk in read[text].chunks:
                lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
                size += pc.sum(lengths).as_py() or 0
        _check_size(size, name, most_bytes)
        table = read.cast(plain.schema_arrow)
        table.validate(full=True)  # that texts are UTF-8
        return cast("pd.DataFrame", table.to_pandas(ignore_metadata=True))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ResultFileError(f"{quoted(name)} is no Parquet table that can be read.") from error


def _group_bytes(metadata: Any) -> Iterator[int]:
    for group in range(metadata.num_row_groups):
        yield metadata.row_group(group).total_byte_size


def _check_size(size: int, name: str, most_bytes: int) -> None:
    if size > most_bytes:
        raise ResultFileError(f"{quoted(name)} takes more than {most_bytes >> 20} MB.")


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_plain(kind: Any) -> bool:
    from pyarrow import types

    tests = (types.is_boolean, types.is_integer, types.is_floating, types.is_null, _is_text)
    return any(test(kind) for test in tests)
