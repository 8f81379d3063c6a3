"""What a model is called in what leaves the program."""

from pathlib import PureWindowsPath


def public_model_name(name: str) -> str:
    """A hub id as it is; of a checkpoint folder its last part, for paths tell about people."""
    is_hub_id = name.count("/") <= 1 and not name.startswith(("/", ".", "~")) and "\\" not in name
    return name if is_hub_id else PureWindowsPath(name).name
