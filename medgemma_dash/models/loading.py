"""From a name, a hub id or a folder to a frozen model on the right device."""

import hashlib
import importlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    AutoProcessor,
    PretrainedConfig,
)
from transformers.utils import find_adapter_config_file
from transformers.utils import logging as transformers_logging

from medgemma_dash.core.errors import (
    MedGemmaDashError,
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    UnsupportedModelError,
    quoted,
)
from medgemma_dash.core.kept import Kept
from medgemma_dash.core.resources import resource
from medgemma_dash.core.settings import read_settings
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.configuration import check_configuration, check_size
from medgemma_dash.models.fitness import (
    MERGING,
    check_model,
    check_processor,
    check_together,
    described,
)
from medgemma_dash.models.gemma3 import read_layout

DEMO_FOLDER = resource("assets", "demo-model")
DEMO_MARK = "medgemma_dash_demo"  # in the configuration, so that every copy takes it along
PROCESSOR_FILES = {
    "tokenizer": ("tokenizer.json", "tokenizer.model"),
    "image processor": ("preprocessor_config.json", "processor_config.json"),
}
HASHED_WHOLE_BYTES = 1 << 30  # larger checkpoints are identified by their safetensors headers
HEADER_BYTES = 1 << 20


def load_model(
    name: str | os.PathLike[str] = "demo", device: str | None = None, dtype: str | None = None
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
    name = os.fspath(name)
    source = _source(name)
    chosen_device = choose_device(device)
    chosen_dtype = choose_dtype(dtype, chosen_device)
    try:
        with _quiet():
            # The configuration and the processor first: a wrong one is refused before gigabytes
            # are read.
            _check_configuration(source)
            processor = AutoProcessor.from_pretrained(source, trust_remote_code=False)
            check_processor(processor)
            hf_model, report = _read(source, chosen_dtype)
        hf_model.to(chosen_device)
    except MedGemmaDashError:
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ModelError(
            f"{name} does not fit into the memory of {chosen_device}. "
            "Choose another device, or a smaller model."
        ) from error
    except Exception as error:  # transformers raises whatever a broken file leads it to
        raise _explained(name, error) from error
    _check_weights(name, report)
    model = wrap_model(hf_model, processor)
    model.name = name
    model.load_seconds = time.perf_counter() - began
    return model


def wrap_model(hf_model: Any, hf_processor: Any) -> VisionLanguageModel:
    """Take a model and a processor that the caller already holds; sets eval mode and freezes it.

    Raises UnsupportedModelError when it is not a whole Gemma 3 image-text model, and ModelError
    when it or the processor cannot be used; nothing is changed then.
    """
    check_model(hf_model)
    check_processor(hf_processor)
    model = _held(hf_model, hf_processor)
    check_together(model)
    return _frozen(model)


def model_without_processor(hf_model: Any) -> VisionLanguageModel:
    """A model for measuring alone, frozen: nothing can be asked of it."""
    return _frozen(_held(hf_model, None))


def _held(hf_model: Any, processor: Any) -> VisionLanguageModel:
    path = str(getattr(hf_model, "name_or_path", "") or hf_model.config.name_or_path)
    return VisionLanguageModel(
        hf_model=hf_model,
        processor=processor,
        name=path or type(hf_model).__name__,
        revision=_revision(hf_model, Path(path) if path else None),
        is_demo=bool(getattr(hf_model.config, DEMO_MARK, False)),
        layout=read_layout(hf_model.config),
        replays=Kept(read_settings().graph_megabytes << 20, lambda replay: replay.bytes),
    )


def _frozen(model: VisionLanguageModel) -> VisionLanguageModel:
    model.hf_model.eval()
    model.hf_model.requires_grad_(False)
    return model


def _check_configuration(source: str) -> None:
    """Raise ModelError for what cannot be right before anything is built from it."""
    raw, _ = PretrainedConfig.get_config_dict(source, trust_remote_code=False)
    if not isinstance(raw, dict) or raw.get("model_type") == "gemma3":
        check_configuration(raw)
    config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    read_layout(config)
    folder = Path(source)
    if not folder.is_dir():
        return
    check_size(config, folder)
    for part, files in PROCESSOR_FILES.items():
        if not any((folder / file).is_file() for file in files):
            raise ModelError(
                f"The model folder {source!r} could not be loaded: it has no {part} "
                f"({' or '.join(files)}). Save the processor of the same checkpoint into it."
            )


def _read(source: str, dtype: torch.dtype) -> tuple[Any, dict[str, Any]]:
    """The model, and transformers' report of what did not fit."""
    loaded: tuple[Any, dict[str, Any]] = AutoModelForImageTextToText.from_pretrained(
        source,
        dtype=dtype,
        use_safetensors=True,
        trust_remote_code=False,
        attn_implementation="sdpa",
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # `_check_weights` says which do not match
    )
    return loaded


def _check_weights(name: str, report: dict[str, Any]) -> None:
    """Raise ModelError where transformers filled up with random numbers, and went on."""
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"{name} lacks {len(missing)} weights, {missing[0]} among them. The download or copy "
            "is incomplete: fetch it again."
        )
    if other := sorted(report["mismatched_keys"]):
        weight, held, described_shape = other[0]
        raise ModelError(
            f"The model folder {name!r} could not be loaded: {len(other)} weights have another "
            f"shape than config.json says; {weight} has {tuple(held)}, not "
            f"{tuple(described_shape)}. The configuration is another model's: copy it again."
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
        raise ModelError(f"No device {quoted(asked)}. Allowed: auto, cpu, cuda, cuda:N, mps.")
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
        raise ModelError(f"No number format {quoted(asked)}. Allowed: auto, {', '.join(formats)}.")
    return formats[str(asked)]


def free_memory_bytes(device: torch.device) -> int:
    """Free memory of a device in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' bar and its tables out of a server's log and a command's output."""
    shown, told = (
        transformers_logging.is_progress_bar_enabled(),
        transformers_logging.get_verbosity(),
    )
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(told)
        if shown:
            transformers_logging.enable_progress_bar()


def _source(name: str) -> str:
    if name == "demo":
        folder = DEMO_FOLDER
    elif name and _is_folder(name):
        folder = Path(name)
    elif name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    else:
        raise ModelNotFoundError(
            f"There is no model {quoted(name)}. Allowed: demo, a hub id such as "
            "google/medgemma-1.5-4b-it, or the path of a checkpoint folder."
        )
    if (folder / "adapter_config.json").is_file():
        raise UnsupportedModelError(
            f"The model folder {name!r} holds an adapter, such as LoRA, and no model of its own. "
            f"First {MERGING}, and save that with save_pretrained; where it is merged already, "
            "remove adapter_config.json."
        )
    if not (folder / "config.json").is_file():
        raise ModelNotFoundError(f"The model folder {name!r} has no config.json.")
    if not any(folder.glob("*.safetensors")):
        raise ModelNotFoundError(
            f"The model folder {name!r} holds no *.safetensors weights. Other formats are not "
            "read; convert them with transformers' save_pretrained."
        )
    return str(folder)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # longer than a path can be
        return False


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
    is_folder = name == "demo" or _is_folder(name)
    if not is_folder and find_adapter_config_file(name) is not None:
        return UnsupportedModelError(
            f"{name} is an adapter, such as LoRA, and no model of its own. First {MERGING}, "
            "and save that with save_pretrained."
        )
    if is_folder or not isinstance(error, OSError | ValueError):
        return ModelError(f"The model folder {name!r} could not be loaded: {described(error)}")
    return ModelNotFoundError(
        f"{name} is neither on this machine nor could it be fetched from the hub. Check the "
        "network and `hf auth login`, or give the path of a downloaded checkpoint folder."
    )


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
