"""What this machine can run, and what to do about what it can't: `examine()`.

What there is to say about the libraries stands in `services/libraries.py`: where one of them does
not fit, this file may not even be imported.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch
from huggingface_hub import constants, get_token
from pydicom.pixels import get_decoder

from medgemma_dash.core.dependencies import dependencies, remedy
from medgemma_dash.core.errors import MedGemmaDashError, SettingError
from medgemma_dash.core.settings import read_settings
from medgemma_dash.imaging.dicom.transfer_syntax import LOSSLESS, LOSSY
from medgemma_dash.models import check_folder, load_model
from medgemma_dash.models.devices import choose_device, choose_dtype, free_memory_bytes
from medgemma_dash.models.processor import multiplies_bfloat16
from medgemma_dash.services.libraries import Diagnosis

GIGABYTE = 1e9
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Parameters of the published checkpoints, vision tower included, in 10^9.
CHECKPOINTS = (("MedGemma 4B", 4.30), ("MedGemma 27B", 27.43))
# Beside the weights: a kept replay graph (2 GiB unless set otherwise) and the activations of one
# 896-pixel radiograph in the vision tower.
WORKING_GIGABYTES = 3.5
DEMO_GIGABYTES = 2.0


def examine() -> Iterator[Diagnosis]:
    """Look at everything that is computed with, one after the other; the models take seconds."""
    yield _memory()
    yield _processor()
    yield from _accelerators()
    yield _demo_model()
    yield _chosen_model()
    for name, billions in CHECKPOINTS:
        yield _checkpoint(name, billions)
    yield _hub()
    yield _disk()
    yield _decoders()
    yield _browser()


def _memory() -> Diagnosis:
    memory = psutil.virtual_memory()
    available = memory.available / GIGABYTE
    text = f"{available:.1f} GB available of {memory.total / GIGABYTE:.1f}"
    if available < DEMO_GIGABYTES:
        remedy = f"Close other programs: the demo model needs about {DEMO_GIGABYTES:.0f} GB."
        return Diagnosis("Memory", "warn", text, remedy)
    return Diagnosis("Memory", "ok", text)


def _processor() -> Diagnosis:
    threads = torch.get_num_threads()
    text = f"{threads} threads of {os.cpu_count()}, {torch.backends.cpu.get_cpu_capability()}"
    features = {"AMX": "amx_bf16", "AVX-512": "avx512_bf16"}
    flags = _processor_flags()
    fast = [name for name, flag in features.items() if flag in flags]
    if not multiplies_bfloat16():
        text += "; bfloat16 is many times slower than float32 here: keep to float32"
    elif fast:
        text += f"; bfloat16 in hardware ({', '.join(fast)}): see `bench --dtype bfloat16`"
    elif flags:
        text += "; no bfloat16 in hardware: float32 is the faster choice"
    return Diagnosis("Processor", "ok", text)


def _processor_flags() -> set[str]:
    facts = Path("/proc/cpuinfo")
    if not facts.is_file():
        return set()
    found = re.search(r"^flags\s*:(.*)$", facts.read_text(encoding="utf-8"), re.MULTILINE)
    return set(found[1].split()) if found else set()


def _accelerators() -> tuple[Diagnosis, ...]:
    if torch.cuda.is_available():
        return tuple(_gpu(index) for index in range(torch.cuda.device_count()))
    if torch.backends.mps.is_available():
        return (Diagnosis("GPU", "ok", "Apple GPU through MPS, sharing the machine's memory"),)
    remedy = "The demo model needs none. For MedGemma, use a machine with a GPU if you can."
    return (
        Diagnosis("GPU", "warn", "none that torch can use; computing on the processor", remedy),
    )


def _gpu(index: int) -> Diagnosis:
    free, total = torch.cuda.mem_get_info(index)
    text = (
        f"{torch.cuda.get_device_name(index)}, "
        f"{free / GIGABYTE:.1f} GB free of {total / GIGABYTE:.1f}"
    )
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        return Diagnosis(
            f"GPU {index}", "warn", text, "No bfloat16: set MEDGEMMA_DASH_DTYPE=float32."
        )
    return Diagnosis(f"GPU {index}", "ok", text)


def _demo_model() -> Diagnosis:
    try:
        model = load_model("demo", device="cpu", dtype="float32")
    except SettingError:
        remedy = "Correct the settings first; what is wrong with them stands below."
        return Diagnosis("Demo model", "warn", "not tried", remedy)
    except MedGemmaDashError as error:
        remedy = "Restore it: install the program again, or `git checkout assets/`."
        return Diagnosis("Demo model", "fail", str(error), remedy)
    text = (
        f"revision {model.revision}, {len(model.layout.layers)} layers, "
        f"loaded in {model.load_seconds:.1f} s, {model.memory_bytes / 1e6:.0f} MB"
    )
    return Diagnosis("Demo model", "ok", text)


def _chosen_model() -> Diagnosis:
    try:
        settings = read_settings()
        device = choose_device(settings.device)
        dtype = choose_dtype(settings.dtype, device)
    except MedGemmaDashError as error:
        return Diagnosis("Settings", "fail", str(error), "Correct or unset the variable.")
    try:
        check_folder(settings.model)
    except MedGemmaDashError as error:
        remedy = "Correct MEDGEMMA_DASH_MODEL or the folder; unset, it is the demo model."
        return Diagnosis("Settings", "fail", str(error), remedy)
    text = f"model {settings.model}, device {device}, number format {settings.dtype}"
    if device.type == "cpu" and dtype == torch.bfloat16 and not multiplies_bfloat16():
        remedy = "This processor is very slow in bfloat16: set MEDGEMMA_DASH_DTYPE=float32."
        return Diagnosis("Settings", "warn", text, remedy)
    return Diagnosis("Settings", "ok", text)


def _checkpoint(name: str, billions: float) -> Diagnosis:
    """Say what a checkpoint needs, in both formats, and whether the best device here has it."""
    device = choose_device()
    free = free_memory_bytes(device) / GIGABYTE
    need = {
        dtype: billions * size + WORKING_GIGABYTES
        for dtype, size in (("bfloat16", 2), ("float32", 4))
    }
    needs = ", ".join(f"{gigabytes:.0f} GB in {dtype}" for dtype, gigabytes in need.items())
    fitting = [dtype for dtype, gigabytes in need.items() if gigabytes <= free]
    text = f"needs {needs}; {device} has {free:.0f} GB free"
    if not fitting:
        remedy = "Use a device with more free memory" + (
            ", or MedGemma 4B." if "27" in name else "."
        )
        return Diagnosis(name, "warn", f"{text}: does not fit", remedy)
    return Diagnosis(name, "ok", f"{text}: fits in {' and '.join(fitting)}")


def _hub() -> Diagnosis:
    if get_token() is None:
        remedy = "For MedGemma: accept its terms on its page at the hub, then `hf auth login`."
        return Diagnosis(
            "Hub sign-in", "warn", "not signed in; the demo model needs no sign-in", remedy
        )
    return Diagnosis("Hub sign-in", "ok", "signed in")


def _disk() -> Diagnosis:
    cache = Path(constants.HF_HUB_CACHE)
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(place).free / GIGABYTE
    text = f"{free:.0f} GB free for downloaded models"
    needed = 2 * CHECKPOINTS[0][1]  # the hub's files are bfloat16
    if free < needed:
        remedy = f"MedGemma 4B takes {needed:.0f} GB: free some, or point HF_HOME to another disk."
        return Diagnosis("Disk", "warn", text, remedy)
    return Diagnosis("Disk", "ok", text)


def _decoders() -> Diagnosis:
    compressed = LOSSLESS | LOSSY
    missing = [name for uid, name in compressed.items() if not get_decoder(uid).is_available]
    if missing:
        names = ("pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle")
        decoders = tuple(one for one in dependencies() if one.name in names)
        text, mend = f"missing for {'; '.join(missing)}", f"Run `{remedy(decoders)}`."
        return Diagnosis("DICOM decoders", "fail", text, mend)
    return Diagnosis("DICOM decoders", "ok", f"uncompressed, {', '.join(compressed.values())}")


def find_browser() -> str | None:
    """Path of a Chromium that the browser tests can drive, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _browser() -> Diagnosis:
    if find_browser() is None:
        remedy = "Only for `make test`: install chromium, for example `apt-get install chromium`."
        return Diagnosis("Chromium", "warn", "not found; browser tests are left out", remedy)
    return Diagnosis("Chromium", "ok", "found; browser tests will run")
