"""The one door for radiographs: path, bytes or picture in, `Radiograph` out."""

import os
import stat
from hashlib import sha256

import numpy as np
from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.imaging.contrast import judge_contrast
from medgemma_dash.imaging.decoded import DecodedImage
from medgemma_dash.imaging.dicom.transfer_syntax import read_transfer_syntax
from medgemma_dash.imaging.limits import MAX_FILE_BYTES, check_file_size
from medgemma_dash.imaging.raster import as_rgb, luma, read_picture
from medgemma_dash.imaging.sniff import sniff
from medgemma_dash.imaging.window import apply_window

_SIDE_ASSUMED = (
    "The picture does not say which side is the patient's right; "
    "the radiological convention is assumed."
)


def load_radiograph(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image,
    *,
    owner: str | None = None,
    check: Check | None = None,
) -> Radiograph:
    """Read one radiograph from a path, the bytes of a file, or a Pillow picture.

    The kind of file is told by its bytes alone, and files are decoded in a process of their own,
    with limits of memory and time. Raises ImageError, and nothing else, for anything that cannot
    be read; the message says why and what to do.

    owner: on whose behalf, where several people share the program: of each, one file is read at
        a time.
    check: called often while a file is decoded; what it raises ends that and is raised here.
    """
    try:
        if isinstance(source, Image.Image):
            return _from_picture(source)
        if isinstance(source, bytes | bytearray | memoryview):
            return _from_bytes(bytes(source), owner, check)
        if isinstance(source, str | os.PathLike):
            return _from_bytes(_read_file(source), owner, check)
    except MemoryError:
        raise ImageError(
            "This machine has too little free memory to open the picture. Export it smaller, or "
            "close other programs."
        ) from None
    raise ImageError(
        f"A radiograph is given as a path, bytes or a Pillow picture, not {type(source).__name__}."
    )


def _from_bytes(data: bytes, owner: str | None, check: Check | None) -> Radiograph:
    # Imported here because starting a process needs modules that pictures do not.
    from medgemma_dash.imaging.guarded.decode import decode_guarded

    check_file_size(len(data))
    kind = sniff(data)
    if kind == "dicom":
        read_transfer_syntax(data)  # refuses without starting a process
    image = decode_guarded(data, kind, owner=owner, check=check)
    more = () if kind == "dicom" else (_SIDE_ASSUMED,)
    return _radiograph(image, sha256(data).hexdigest(), more)


def _from_picture(picture: Image.Image) -> Radiograph:
    image, source = read_picture(picture)
    samples = np.ascontiguousarray(source)
    digest = sha256(f"{samples.dtype.str} {samples.shape}".encode())
    digest.update(samples.data)
    return _radiograph(image, digest.hexdigest(), (_SIDE_ASSUMED,))


def _radiograph(image: DecodedImage, digest: str, more: tuple[str, ...]) -> Radiograph:
    """more: warnings that come last."""
    picture = image.picture
    if picture.ndim == 3:
        pixels, intensities = picture, luma(picture)
    elif picture.dtype == np.uint8:
        pixels, intensities = as_rgb(picture), picture.astype(np.float32)
    else:
        pixels, intensities = as_rgb(apply_window(picture, image.windows[0])), picture
    contrast = judge_contrast(pixels, intensities, image.windows)
    return Radiograph(
        pixels=pixels,
        sha256=digest,
        spacing_mm=image.spacing_mm,
        laterality=image.laterality,
        intensities=intensities,
        windows=contrast.windows,
        tags=image.tags,
        warnings=(*contrast.warnings, *image.warnings, *more),
        wider=contrast.wider,
    )


def _read_file(path: str | os.PathLike[str]) -> bytes:
    """Read a regular file within the size limit; a message repeats the path only as typed."""
    typed = os.fspath(path)
    try:
        found = os.stat(typed)
        if stat.S_ISDIR(found.st_mode):
            raise ImageError(f"{typed!r} is a folder. Give the path of one image file.")
        if not stat.S_ISREG(found.st_mode):
            raise ImageError(f"{typed!r} is not an ordinary file. Give the path of an image file.")
        check_file_size(found.st_size)
        with open(typed, "rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ImageError(f"There is no file {typed!r}. Check the path.") from None
    except PermissionError:
        raise ImageError(f"The file {typed!r} may not be read. Check its permissions.") from None
    except (OSError, ValueError):
        raise ImageError(f"The file {typed!r} cannot be read. Check the path.") from None
