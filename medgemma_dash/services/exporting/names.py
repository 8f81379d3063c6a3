"""Names of downloaded files, made of what was computed and never of what a user typed."""

import re

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.target import Target

DIGEST_CHARACTERS = 12


def download_name(explanation: Explanation, extension: str) -> str:
    """For example "3f2a90bc11de-chefer-token-3.png": radiograph's digest, method, target."""
    return _name(explanation, explanation.method, extension)


def comparison_name(explanation: Explanation, extension: str) -> str:
    """The same of several methods' maps: "3f2a90bc11de-comparison-token-3.csv"."""
    return _name(explanation, "comparison", extension)


def _name(explanation: Explanation, what: str, extension: str) -> str:
    digest = re.sub(r"[^0-9a-f]", "", explanation.provenance.image_sha256)[:DIGEST_CHARACTERS]
    method = re.sub(r"[^a-z0-9_]", "", what.lower())
    ending = re.sub(r"[^a-z0-9.]", "", extension.lower()).lstrip(".")
    return f"{digest}-{method}-{_target_name(explanation.target)}.{ending}"


def _target_name(target: Target) -> str:
    if target.kind == "answer":
        return "answer"
    if target.margin is not None:
        return f"margin-{target.margin.yes_ids[0]}-{target.margin.no_ids[0]}"
    first, last = target.token_indices[0], target.token_indices[-1]
    name = f"token-{first}" if first == last else f"tokens-{first}-{last}"
    return name if target.against is None else f"{name}-against-{target.against.id}"
