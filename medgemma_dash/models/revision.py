"""Which model it is, by its weights."""

import hashlib
from pathlib import Path
from typing import Any

HASHED_WHOLE_BYTES = 1 << 30  # larger checkpoints are identified by their safetensors headers
HEADER_BYTES = 1 << 20


def stored_revision(hf_model: Any, folder: Path) -> str:
    """A hub commit, or a digest of a folder's weights; two different checkpoints never share one.

    For a model as it was just read: what is done to it afterwards does not show.
    """
    commit = getattr(hf_model.config, "_commit_hash", None)
    if commit or not folder.is_dir():
        return str(commit) if commit else held_revision(hf_model)
    digest = hashlib.sha256()
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
    return digest.hexdigest()[:12]


def held_revision(hf_model: Any) -> str:
    """A digest of samples of the weights in memory, wherever they came from.

    An adapter that was merged into them changes it, though the model's path is still its base's.
    """
    digest = hashlib.sha256()
    for name, parameter in hf_model.named_parameters():
        sample = parameter.detach().flatten()[:: max(1, parameter.numel() // 64)][:64]
        digest.update(name.encode() + sample.float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
