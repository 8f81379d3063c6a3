"""From a name, a hub id or a folder to a frozen model on the right device."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging as transformers_logging

from medgemma_dash.core.errors import MedGemmaDashError, ModelError
from medgemma_dash.core.kept import Kept
from medgemma_dash.core.settings import read_settings
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.checkpoint import check_checkpoint, explained, source_of
from medgemma_dash.models.devices import choose_device, choose_dtype
from medgemma_dash.models.fitness import check_model, check_processor, check_together
from medgemma_dash.models.gemma3 import read_layout
from medgemma_dash.models.revision import held_revision, stored_revision

_OF_A_LAYER = re.compile(r"\blayers\.\d+\.")
DEMO_MARK = "medgemma_dash_demo"  # in the configuration, so that every copy takes it along


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
    source = source_of(name)
    chosen_device = choose_device(device)
    chosen_dtype = choose_dtype(dtype, chosen_device)
    try:
        with _quiet():
            # The configuration and the processor first: a wrong one is refused before gigabytes
            # are read.
            check_checkpoint(source)
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
        raise explained(name, error) from error
    _check_weights(name, report)
    model = wrap_model(hf_model, processor)
    model.name = name
    model.revision = stored_revision(hf_model, Path(source))
    model.load_seconds = time.perf_counter() - began
    return model


def check_folder(name: str) -> None:
    """Refuse what can be seen to be broken without reading the weights; nothing of the hub is read.

    Raises what `load_model` raises.
    """
    source = source_of(name)
    if not Path(source).is_dir():
        return
    try:
        with _quiet():
            check_checkpoint(source)
            check_processor(AutoProcessor.from_pretrained(source, trust_remote_code=False))
    except MedGemmaDashError:
        raise
    except Exception as error:  # transformers raises whatever a broken file leads it to
        raise explained(name, error) from error


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
        revision=held_revision(hf_model),
        is_demo=bool(getattr(hf_model.config, DEMO_MARK, False)),
        layout=read_layout(hf_model.config),
        replays=Kept(read_settings().graph_megabytes << 20, lambda replay: replay.bytes),
    )


def _frozen(model: VisionLanguageModel) -> VisionLanguageModel:
    model.hf_model.eval()
    model.hf_model.requires_grad_(False)
    return model


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
    """Raise ModelError where transformers filled up with random numbers or left layers out, and
    went on.
    """
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"{name} lacks {len(missing)} weights, {missing[0]} among them. The download or copy "
            "is incomplete: fetch it again."
        )
    unread = [key for key in sorted(report["unexpected_keys"]) if _OF_A_LAYER.search(key)]
    if unread:
        raise ModelError(
            f"The model folder {name!r} could not be loaded: {len(unread)} weights are of layers "
            f"that config.json does not have, {unread[0]} among them. The configuration is another "
            "model's: copy it again."
        )
    if other := sorted(report["mismatched_keys"]):
        weight, held, described_shape = other[0]
        raise ModelError(
            f"The model folder {name!r} could not be loaded: {len(other)} weights have another "
            f"shape than config.json says; {weight} has {tuple(held)}, not "
            f"{tuple(described_shape)}. The configuration is another model's: copy it again."
        )


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
