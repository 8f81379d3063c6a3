"""Which model it is, by its weights."""

import hashlib
from pathlib import Path
from typing import Any

HASHED_WHOLE_BYTES = 1 << 30  # larger checkpoints are identified by their safetensors headers
HEADER_BYTES = 1 << 20


def revision_of(hf_model: Any, folder: Path | None) -> str:
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
