"""Files are decoded in a process that ends with them, whatever they do."""

import io
import os
import signal
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from medgemma_dash.core.errors import CancelledError, ImageError
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.guarded import decode as guarded
from medgemma_dash.imaging.guarded import process as processes
from medgemma_dash.imaging.guarded.decode import decode_guarded
from medgemma_dash.imaging.guarded.process import GuardedProcess
from tests.imaging.dicom_files import jpeg_stream, native, sample_picture

GREY = sample_picture(40, 48, 8)
ROOT = Path(__file__).parents[2]
MEGABYTES = 2048


def saved(pixels: Any, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


PNG, JPEG, DICOM = saved(GREY), jpeg_stream(GREY), native(GREY)


@pytest.fixture
def cold() -> Iterator[None]:
    """No process is kept from another test, or for one."""
    guarded.end_all()
    yield
    guarded.end_all()


@pytest.fixture
def stopped() -> Iterator[GuardedProcess]:
    """A process that takes a file and never answers."""
    process = GuardedProcess()
    os.kill(process._process.pid, signal.SIGSTOP)
    yield process
    assert not process.is_fit
    assert process._process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("data", [PNG, JPEG, DICOM], ids=["png", "jpeg", "dicom"])
def test_no_file_is_decoded_in_this_process(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    def decoded(*_: Any, **__: Any) -> Any:
        raise AssertionError("A file was opened here.")

    monkeypatch.setattr(Image, "open", decoded)
    monkeypatch.setattr("pydicom.dcmread", decoded)
    monkeypatch.setattr("cv2.imdecode", decoded)
    assert load_radiograph(data).pixels.shape == (40, 48, 3)


@pytest.mark.usefixtures("cold")
def test_one_process_serves_file_after_file_and_a_damaged_one_between() -> None:
    load_radiograph(PNG)
    (process,) = guarded._kept
    with pytest.raises(ImageError, match="damaged"):
        load_radiograph(PNG[:-20])
    np.testing.assert_array_equal(load_radiograph(DICOM).pixels, load_radiograph(PNG).pixels)
    assert guarded._kept == [process]
    _, alive = psutil.wait_procs(psutil.Process(process._process.pid).children(), timeout=30)
    assert alive == []


def test_a_kept_process_that_has_died_is_replaced() -> None:
    load_radiograph(PNG)
    for process in guarded._kept:
        process._kill()
        process._process.wait()
    assert load_radiograph(PNG).pixels.shape == (40, 48, 3)


@pytest.mark.usefixtures("cold")
def test_a_process_that_cannot_be_started_is_an_image_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fork(*_: Any, **__: Any) -> Any:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(processes.subprocess, "Popen", fork)
    with pytest.raises(ImageError, match="too busy"):
        load_radiograph(PNG)


@pytest.mark.usefixtures("cold")
def test_a_thread_that_cannot_be_started_is_an_image_error_and_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before = set(psutil.Process().children())
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises(ImageError, match="too busy"):
        load_radiograph(PNG)
    assert set(psutil.Process().children()) <= before


def test_slow_decoding_is_given_up(stopped: GuardedProcess) -> None:
    with pytest.raises(ImageError, match="took more than 0 seconds"):
        stopped.decode(PNG, "png", None, MEGABYTES, seconds=0.01)


def test_decoding_ends_when_nobody_waits_for_it(stopped: GuardedProcess) -> None:
    def check() -> None:
        raise CancelledError("The page was closed.")

    with pytest.raises(CancelledError, match="The page was closed"):
        stopped.decode(PNG, "png", check, MEGABYTES, seconds=60.0)


def test_a_process_that_the_system_ended_is_not_called_a_damaged_file(
    stopped: GuardedProcess,
) -> None:
    def out_of_memory() -> None:
        os.kill(stopped._process.pid, signal.SIGKILL)

    with pytest.raises(ImageError, match="too little free memory"):
        stopped.decode(PNG, "png", out_of_memory, MEGABYTES, seconds=60.0)


@pytest.mark.parametrize(("status", "message"), [(137, "free memory"), (152, "took more than")])
def test_the_signal_that_ended_a_fork_is_told(
    monkeypatch: pytest.MonkeyPatch, status: int, message: str
) -> None:
    monkeypatch.setattr(processes, "_START", f"import os; os.read(0, 9); os._exit({status})")
    process = GuardedProcess()
    with pytest.raises(ImageError, match=message):
        process.decode(PNG, "png", None, MEGABYTES, seconds=60.0)


def test_an_answer_that_lies_about_itself_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    for shape in ([2**15, 2**15], [40, 48, 3], [0, 0], [-1, 4]):
        header = f'{{"shape": {shape}, "dtype": "float32"}}'.encode()
        answer = struct.pack("<I", len(header)) + header
        monkeypatch.setattr(
            processes, "_START", f"import os; os.write(1, {answer!r}); os.read(0, 9)"
        )
        with pytest.raises(ImageError, match="cannot be decoded"):
            GuardedProcess().decode(PNG, "png", None, MEGABYTES, seconds=60.0)


def test_memory_limit_of_the_decoding_process_holds() -> None:
    large = native(np.zeros((4000, 4000), np.uint16))
    with pytest.raises(ImageError, match=r"more memory|cannot be decoded"):
        decode_guarded(large, "dicom", megabytes=220)
    with pytest.raises(ImageError, match="more memory to decode than a radiograph"):
        decode_guarded(_transparent_png(6000, 6600), "png", megabytes=400)


def _transparent_png(rows: int, cols: int) -> bytes:
    """A small file of many megapixels; made of one row, deflated once and repeated."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    row = packer.compress(bytes(1 + 4 * cols)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">I", (rows * (1 + 4 * cols) % 65_521) << 16 | 1)
    body = b"\x78\x01" + row * rows + b"\x03\x00" + checksum
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 6, 0, 0, 0)), (b"IDAT", body)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in [*chunks, (b"IEND", b"")]
    )


@pytest.mark.usefixtures("cold")
def test_secrets_of_the_program_stay_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    load_radiograph(PNG)
    (process,) = guarded._kept
    assert "HF_TOKEN" not in psutil.Process(process._process.pid).environ()


def test_files_can_be_read_from_several_threads_at_once() -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(load_radiograph(DICOM))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all((one.pixels == found[0].pixels).all() for one in found)
    assert len(guarded._kept) <= guarded.MOST_KEPT


def program(code: str) -> subprocess.CompletedProcess[bytes]:
    """A program of its own, given a PNG."""
    return subprocess.run(
        [sys.executable, "-c", code],
        input=PNG,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def test_a_fork_of_the_program_has_processes_of_its_own() -> None:
    code = (
        "import os, sys\n"
        "from medgemma_dash.imaging import load_radiograph\n"
        "from medgemma_dash.imaging.guarded import decode\n"
        "data = sys.stdin.buffer.read()\n"
        "expected = load_radiograph(data).pixels.tobytes()\n"
        "kept = decode._kept[0]._process.pid\n"
        "forked = os.fork()\n"
        "assert load_radiograph(data).pixels.tobytes() == expected\n"
        "assert (decode._kept[0]._process.pid == kept) == bool(forked)\n"
        "if forked: sys.exit(os.waitpid(forked, 0)[1])\n"
    )
    done = program(code)
    assert done.returncode == 0, done.stderr.decode()


def test_the_decoding_process_ends_with_the_program() -> None:
    code = (
        "import os, sys\n"
        "from medgemma_dash.imaging import load_radiograph\n"
        "from medgemma_dash.imaging.guarded import decode\n"
        "load_radiograph(sys.stdin.buffer.read())\n"
        "print(decode._kept[0]._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"  # no clean-up runs
    )
    done = program(code)
    psutil.wait_procs([psutil.Process(pid) for pid in _running(int(done.stdout))], timeout=30)
    assert not _running(int(done.stdout))


def _running(pid: int) -> list[int]:
    alive = psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return [pid] if alive else []
