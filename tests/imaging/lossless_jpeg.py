"""Lossless JPEG (ITU-T T.81 annex H) in a few lines: slow, and nobody else's code."""

import struct
from typing import Any

_CATEGORIES = 17  # of differences modulo 2^16
_CODE_BITS = 5  # every category gets a code of five bits


def encode_lossless_jpeg(pixels: Any, bits: int, predictor: int = 1) -> bytes:
    """Encode a grey picture with predictor 1 (left), 2 (above), 4 (plane) or 7 (mean)."""
    rows, cols = pixels.shape
    frame = struct.pack(">HBHHB3B", 11, bits, rows, cols, 1, 1, 0x11, 0)
    counts = [_CATEGORIES if length == _CODE_BITS else 0 for length in range(1, 17)]
    table = struct.pack(">HB16B", 19 + _CATEGORIES, 0, *counts) + bytes(range(_CATEGORIES))
    scan = struct.pack(">HB2B3B", 8, 1, 1, 0, predictor, 0, 0)
    data = _entropy_code(pixels.tolist(), bits, predictor)
    return (
        b"\xff\xd8\xff\xc3" + frame + b"\xff\xc4" + table + b"\xff\xda" + scan + data + b"\xff\xd9"
    )


def _entropy_code(rows: list[list[int]], bits: int, predictor: int) -> bytes:
    code: list[str] = []
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            difference = (value - _predict(rows, y, x, bits, predictor)) % 2**16
            signed = difference - 2**16 if difference > 2**15 else difference
            size = abs(signed).bit_length()
            code.append(format(size, f"0{_CODE_BITS}b"))
            if 0 < size < 16:
                code.append(format(signed if signed > 0 else signed + 2**size - 1, f"0{size}b"))
    text = "".join(code)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")


def _predict(rows: list[list[int]], y: int, x: int, bits: int, predictor: int) -> int:
    if y == 0:
        return 2 ** (bits - 1) if x == 0 else rows[0][x - 1]
    if x == 0:
        return rows[y - 1][0]
    left, above, corner = rows[y][x - 1], rows[y - 1][x], rows[y - 1][x - 1]
    return {1: left, 2: above, 4: left + above - corner, 7: (left + above) // 2}[predictor]
