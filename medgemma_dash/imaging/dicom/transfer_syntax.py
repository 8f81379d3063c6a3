"""Which DICOM encodings are read, decided from the file meta group alone.

The group is parsed here, in a few bounded steps, before pydicom sees the file: pydicom inflates
a deflated data set as soon as it opens it, and 1.5 MB can become gigabytes. Deflated files are
refused rather than inflated under a limit: they are rare among radiographs, and every archive
that writes them also writes Explicit VR Little Endian.
"""

import re
import struct

from medgemma_dash.core.errors import ImageError

NATIVE = {
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    "1.2.840.10008.1.2.1": "Explicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Explicit VR Big Endian",
}
RLE = "1.2.840.10008.1.2.5"
LOSSLESS = {
    RLE: "RLE Lossless",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless (Process 14)",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless (Process 14, SV1)",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.201": "High-Throughput JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.202": "High-Throughput JPEG 2000 Lossless (RPCL)",
}
LOSSY = {
    "1.2.840.10008.1.2.4.50": "JPEG Baseline",
    "1.2.840.10008.1.2.4.51": "JPEG Extended",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000",
}
READABLE = NATIVE | LOSSLESS | LOSSY

_DEFLATED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.8.1")
_VIDEO = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.10[0-9](\.\d+)?")
_META_AT = 132
_MAX_META_ELEMENTS = 64
_TRANSFER_SYNTAX_UID = 0x0010
_LONG_LENGTH = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"}
# Every kind of value that the meta group may hold. pydicom reads a group that begins with another
# one in a different way, and might then find another transfer syntax than is found here.
_KINDS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
     b"SH", b"SL", b"SS", b"ST", b"SV", b"TM", b"UI", b"UL", b"US", b"UV"}
) | _LONG_LENGTH  # fmt: skip
_REMEDY = "Export the study as Explicit VR Little Endian, or as JPEG or JPEG 2000 DICOM."

_DAMAGED = f"The DICOM file's header is damaged or made to do harm. {_REMEDY}"
TWO_SYNTAXES = (
    "The DICOM file says twice how it is encoded (two transfer syntaxes in its header): it is "
    f"damaged or made to do harm. {_REMEDY}"
)


def read_transfer_syntax(data: bytes) -> str:
    """The transfer syntax UID of a DICOM file; raises ImageError unless it is a readable one."""
    uid = _find(data)
    if uid in READABLE:
        return uid
    if uid in _DEFLATED:
        raise ImageError(
            "The DICOM file is deflated (compressed as a whole), which is not read because a "
            f"small file can then grow without bound. {_REMEDY}"
        )
    if _VIDEO.fullmatch(uid):
        raise ImageError(f"The DICOM file holds a video, not a radiograph. {_REMEDY}")
    raise ImageError(
        "The DICOM file is encoded in a way that is not read (its transfer syntax is unknown or "
        f"private). {_REMEDY}"
    )


def _find(data: bytes) -> str:
    """The one transfer syntax of the meta group, which is read to its end: pydicom would take the
    last of several.
    """
    found = None
    offset = _META_AT
    for _ in range(_MAX_META_ELEMENTS):
        header = data[offset : offset + 8]
        if len(header) < 8:
            raise ImageError("The DICOM file is cut off in its header. Copy or download it again.")
        group, element, kind, length = struct.unpack("<HH2sH", header)
        if group != 0x0002:
            break
        if kind not in _KINDS:
            raise ImageError(_DAMAGED)
        offset += 8
        if kind in _LONG_LENGTH:
            field = data[offset : offset + 4]
            length = int.from_bytes(field, "little")
            offset += 4
        if element == _TRANSFER_SYNTAX_UID:
            if found is not None:
                raise ImageError(TWO_SYNTAXES)
            value = data[offset : offset + min(length, 64)]
            found = value.rstrip(b"\0 ").decode("ascii", "replace")
        offset += length
    else:
        raise ImageError(_DAMAGED)
    if found is None:
        raise ImageError(
            "The DICOM file does not say how it is encoded (no transfer syntax in its header): "
            f"it is damaged. {_REMEDY}"
        )
    return found
