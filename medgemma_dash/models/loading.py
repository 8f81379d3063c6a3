"""From a name, a hub id or a folder to a frozen model on the right device."""

import hashlib
import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging as transformers_logging

from medgemma_dash.core.errors import ModelAccessError, ModelError, ModelNotFoundError
from medgemma_dash.core.kept import Kept
from medgemma_dash.core.resources import resource
from medgemma_dash.core.settings import read_settings
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.gemma3 import read_layout

DEMO_FOLDER = resource("assets", "demo-model")
DEMO_MARK = "medgemma_dash_demo"  # in the configuration, so that every copy takes it along
HASHED_WHOLE_BYTES = 1 << 30  # larger checkpoints are identified by their safetensors headers
HEADER_BYTES = 1 << 20


def load_model(
    name: str = "demo", device: str | None = None, dtype: str | None = None
) -> VisionLanguageModel:
    """Load a model and its processor, frozen, in eval mode.

    name: "demo", a hub id such as "google/medgemma-1.5-4b-it", or a checkpoint folder.
    device: "cpu", "cuda", "cuda:N" or "mps"; None or "auto" takes the GPU with most free
        memory, else Apple's, else the processor.
    dtype: "float32" or "bfloat16"; None or "auto" means bfloat16 on CUDA, else float32.
    Raises ModelNotFoundError, ModelAccessError, UnsupportedModelError or ModelError; each says
    what to do.
    """
    began = time.perf_counter()
    source = _source(name)
    chosen_device = choose_device(device)
    chosen_dtype = choose_dtype(dtype, chosen_device)
    try:
        # The configuration first: a wrong type is refused before gigabytes are read.
        read_layout(AutoConfig.from_pretrained(source, trust_remote_code=False))
        processor = AutoProcessor.from_pretrained(source, trust_remote_code=False)
        with _no_progress_bar():
            hf_model, report = AutoModelForImageTextToText.from_pretrained(
                source,
                dtype=chosen_dtype,
                use_safetensors=True,
                trust_remote_code=False,
                attn_implementation="sdpa",
                output_loading_info=True,
            )
        hf_model.to(chosen_device)
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{name} does not fit into the memory of {chosen_device}. "
            "Choose another device, or a smaller model."
        ) from error
    # RuntimeError: weights of another shape than the configuration says.
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise _explained(name, error) from error
    if missing := sorted(report["missing_keys"]):
        # Transformers would fill them with random numbers and go on.
        raise ModelError(
            f"{name} lacks {len(missing)} weights, {missing[0]} among them. The download or copy "
            "is incomplete: fetch it again."
        )
    model = wrap_model(hf_model, processor)
    model.name = name
    model.load_seconds = time.perf_counter() - began
    return model


def wrap_model(hf_model: Any, hf_processor: Any) -> VisionLanguageModel:
    """Take a model and a processor that the caller already holds; sets eval mode and freezes it.

    Raises UnsupportedModelError when it is not a Gemma 3 image-text model.
    """
    layout = read_layout(hf_model.config)
    hf_model.eval()
    hf_model.requires_grad_(False)
    path = str(getattr(hf_model, "name_or_path", "") or hf_model.config.name_or_path)
    folder = Path(path) if path else None
    return VisionLanguageModel(
        hf_model=hf_model,
        processor=hf_processor,
        name=path or type(hf_model).__name__,
        revision=_revision(hf_model, folder),
        is_demo=bool(getattr(hf_model.config, DEMO_MARK, False)),
        layout=layout,
        replays=Kept(read_settings().graph_megabytes << 20, lambda replay: replay.bytes),
    )


def choose_device(asked: str | None = None) -> torch.device:
    """The asked device, or the best one here; raises ModelError when it is not on this machine."""
    asked = asked or "auto"
    if asked == "auto":
        if torch.cuda.is_available():
            free = [torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())]
            return torch.device("cuda", free.index(max(free)))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device: torch.device | None = torch.device(asked)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise ModelError(f"No device {asked!r}. Allowed: auto, cpu, cuda, cuda:N, mps.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ModelError(
            f"No device {asked!r}: this machine has {torch.cuda.device_count()} CUDA devices. "
            "Use cpu."
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ModelError("No device 'mps': torch finds no Apple GPU here. Use cpu.")
    return device


def choose_dtype(asked: str | None, device: torch.device) -> torch.dtype:
    """The asked number format, or the device's usual one; raises ModelError."""
    if asked in (None, "auto"):
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    formats = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if asked not in formats:
        raise ModelError(f"No number format {asked!r}. Allowed: auto, {', '.join(formats)}.")
    return formats[str(asked)]


def free_memory_bytes(device: torch.device) -> int:
    """Free memory of a device in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers' bar out of a server's log and a command's output."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _source(name: str) -> str:
    if name == "demo":
        folder = DEMO_FOLDER
    elif name and Path(name).is_dir():
        folder = Path(name)
    elif name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    else:
        raise ModelNotFoundError(
            f"There is no model {name!r}. Allowed: demo, a hub id such as "
            "google/medgemma-1.5-4b-it, or the path of a checkpoint folder."
        )
    if not (folder / "config.json").is_file():
        raise ModelNotFoundError(f"The model folder {name!r} has no config.json.")
    if not any(folder.glob("*.safetensors")):
        raise ModelNotFoundError(
            f"The model folder {name!r} holds no *.safetensors weights. Other formats are not "
            "read; convert them with transformers' save_pretrained."
        )
    return str(folder)


def _explained(name: str, error: Exception) -> ModelError:
    hub = importlib.import_module("huggingface_hub.errors")
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(cause, hub.GatedRepoError) for cause in causes):
        return ModelAccessError(
            f"{name} is gated. Accept its terms on its page at the hub, run `hf auth login` with a "
            "token that may read it, and start again."
        )
    if any(isinstance(cause, hub.RepositoryNotFoundError) for cause in causes):
        return ModelNotFoundError(
            f"The hub has no {name}, or this machine may not see it. Check the spelling; for a "
            "private or gated model run `hf auth login` first."
        )
    if Path(name).is_dir() or name == "demo":
        return ModelError(f"The model folder {name!r} could not be loaded: {_first_line(error)}")
    return ModelNotFoundError(
        f"{name} is neither on this machine nor could it be fetched from the hub. Check the "
        "network and `hf auth login`, or give the path of a downloaded checkpoint folder."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _revision(hf_model: Any, folder: Path | None) -> str:
    """A hub commit, or a digest of the weights; two different models never share one."""
    commit = getattr(hf_model.config, "_commit_hash", None)
    if commit:
        return str(commit)
    digest = hashlib.sha256()
    if folder is not None and folder.is_dir():
        for path in sorted(folder.glob("*.safetensors")):
            size = path.stat().st_size
            digest.update(f"{path.name}:{size}:".encode())
            with path.open("rb") as file:
                if size <= HASHED_WHOLE_BYTES:
                    for chunk in iter(lambda: file.read(HEADER_BYTES), b""):
                        digest.update(chunk)
                else:
                    digest.update(file.read(HEADER_BYTES))
                    digest.update(str(path.stat().st_mtime_ns).encode())
    else:
        for name, parameter in hf_model.named_parameters():
            sample = parameter.detach().flatten()[:: max(1, parameter.numel() // 64)][:64]
            digest.update(name.encode() + sample.float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
