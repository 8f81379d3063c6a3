"""The one door for radiographs: path, bytes or picture in, `Radiograph` out."""

import os
import stat
from hashlib import sha256

import numpy as np
from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.imaging import laterality
from medgemma_dash.imaging.contrast import judge_contrast
from medgemma_dash.imaging.limits import MAX_FILE_BYTES, check_file_size
from medgemma_dash.imaging.raster import RasterImage, as_rgb, luma, read_picture, read_raster
from medgemma_dash.imaging.sniff import sniff
from medgemma_dash.imaging.window import apply_window


def load_radiograph(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image,
) -> Radiograph:
    """Read one radiograph from a path, the bytes of a file, or a Pillow picture.

    The kind of file is told by its bytes alone. Raises ImageError, and nothing else, for
    anything that cannot be read; the message says why and what to do.
    """
    try:
        if isinstance(source, Image.Image):
            return _from_picture(source)
        if isinstance(source, bytes | bytearray | memoryview):
            return _from_bytes(bytes(source))
        if isinstance(source, str | os.PathLike):
            return _from_bytes(_read_file(source))
    except MemoryError:
        raise ImageError(
            "This machine has too little free memory to open the picture. Export it smaller, or "
            "close other programs."
        ) from None
    raise ImageError(
        f"A radiograph is given as a path, bytes or a Pillow picture, not {type(source).__name__}."
    )


def _from_bytes(data: bytes) -> Radiograph:
    check_file_size(len(data))
    kind = sniff(data)
    digest = sha256(data).hexdigest()
    if kind == "dicom":
        return _from_dicom(data, digest)
    return _from_raster(read_raster(data, kind), digest)


def _from_picture(picture: Image.Image) -> Radiograph:
    raster = read_picture(picture)
    samples = np.ascontiguousarray(raster.source)
    digest = sha256(f"{samples.dtype.str} {samples.shape}".encode())
    digest.update(samples.data)
    return _from_raster(raster, digest.hexdigest())


def _from_raster(raster: RasterImage, digest: str) -> Radiograph:
    side = laterality.assumed()
    assumption = (
        "The picture does not say which side is the patient's right; "
        "the radiological convention is assumed."
    )
    contrast = judge_contrast(raster.pixels, raster.intensities, raster.windows)
    return Radiograph(
        pixels=raster.pixels,
        sha256=digest,
        spacing_mm=None,
        laterality=side,
        intensities=raster.intensities,
        windows=contrast.windows,
        warnings=(*contrast.warnings, *raster.warnings, assumption),
        wider=contrast.wider,
    )


def _from_dicom(data: bytes, digest: str) -> Radiograph:
    # Imported here because starting a process needs modules that other files do not.
    from medgemma_dash.imaging.dicom.process import decode_in_process
    from medgemma_dash.imaging.dicom.transfer_syntax import read_transfer_syntax

    read_transfer_syntax(data)  # refuses without starting a process
    image = decode_in_process(data)
    if image.picture.ndim == 3:
        pixels, intensities = image.picture, luma(image.picture)
    else:
        intensities = image.picture
        pixels = as_rgb(apply_window(intensities, image.windows[0]))
    contrast = judge_contrast(pixels, intensities, image.windows)
    return Radiograph(
        pixels=pixels,
        sha256=digest,
        spacing_mm=image.spacing_mm,
        laterality=image.laterality,
        intensities=intensities,
        windows=contrast.windows,
        tags=image.tags,
        warnings=(*contrast.warnings, *image.warnings),
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
