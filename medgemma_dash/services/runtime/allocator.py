"""Keep memory that was freed, for the next click to use."""

import ctypes
import platform

# From glibc's malloc.h; mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 512 << 20
LARGEST_KEPT_BYTES = 32 << 20  # the most that glibc takes


def keep_freed_memory() -> bool:
    """Let the process keep up to 512 MB that it has freed; tells whether it will.

    A backward pass frees and takes the same megabytes a hundred times. By default glibc hands
    them back to the system each time, and to be given fresh pages again costs a click up to a
    tenth of its time, on a virtual machine more. The whole process is changed, so programs call
    this, the library does not. Other C libraries are left alone.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    found = [
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES),
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES),
    ]
    return all(found)
