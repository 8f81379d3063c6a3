"""Which image side is the patient's right, from what a file says about its own orientation."""

from medgemma_dash.core.radiograph import Laterality, PatientRight

CONVENTION = "the radiological convention: the image's left is the patient's right"
ASSUMED = f"assumed from {CONVENTION}; the file does not say"
FRONTAL_VIEWS = frozenset({"AP", "PA"})
LATERAL_VIEWS = frozenset({"LL", "RL", "LAT", "LATERAL"})
OBLIQUE_VIEWS = frozenset({"LAO", "RAO", "LPO", "RPO", "LLO", "RLO"})
DECUBITUS_VIEWS = frozenset({"LLD", "RLD"})
VIEWS = FRONTAL_VIEWS | LATERAL_VIEWS | OBLIQUE_VIEWS | DECUBITUS_VIEWS

_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


def is_lateral(laterality: Laterality) -> bool:
    """Whether the file said that it is a lateral view; where the sides come from tells it."""
    return laterality == "unknown" and "lateral view" in laterality.source


def assumed() -> Laterality:
    """For a picture that carries no orientation at all."""
    return Laterality("left", ASSUMED)


def read_laterality(orientation: tuple[str, ...], view: str) -> tuple[Laterality, tuple[str, ...]]:
    """Judge PatientOrientation and ViewPosition; return the laterality and warnings.

    orientation: (0020,0020): the directions in which columns and rows run, such as ("L", "F")
        when columns run towards the patient's left and rows towards the feet; () if absent.
    view: (0018,5101), "" if absent.
    The picture itself is never turned or mirrored.
    """
    across, down, readable = _leading_letters(orientation)
    warnings: list[str] = []
    if readable and (view in FRONTAL_VIEWS and across in "AP"):
        warnings.append(_contradiction(view, "a lateral"))
    if readable and (view in LATERAL_VIEWS and across in "LR"):
        warnings.append(_contradiction(view, "a frontal"))
    if view in LATERAL_VIEWS:
        warnings.append(
            "The file says that this is a lateral view: zones and sides do not apply to it."
        )
        said = "the file says that this is a lateral view"
        return Laterality("unknown", said), tuple(warnings)
    if view in OBLIQUE_VIEWS | DECUBITUS_VIEWS:
        warnings.append(f"The view is {view}, not a frontal one: zones and sides are approximate.")
    if not orientation:
        warnings.append(
            "The file does not say which side is the patient's right; "
            "the radiological convention is assumed."
        )
        return assumed(), tuple(warnings)
    if not readable:
        warnings.append("The file's PatientOrientation cannot be read; the sides are not named.")
        reason = "the file's PatientOrientation cannot be read"
        return Laterality("unknown", reason), tuple(warnings)
    said = f"from the file's PatientOrientation {across}\\{down}"
    if across in "AP":
        reason = f"{said}, which is that of a lateral view"
        warnings.append(
            "The file's PatientOrientation is that of a lateral view: "
            "zones and sides do not apply to it."
        )
        return Laterality("unknown", reason), tuple(warnings)
    if across in "HF":
        warnings.append(
            "The file says that the patient lies sideways in the picture; it is shown as stored."
        )
        return Laterality("unknown", f"{said}: the patient lies sideways"), tuple(warnings)
    if down == "H":
        warnings.append(
            "The file says that the picture is upside down; it is shown as stored, and zones are "
            "named from the patient's side."
        )
    if across == "R":
        warnings.append(
            "The file says that the image's right is the patient's right, against the "
            "radiological convention; it is shown as stored."
        )
    right: PatientRight = "left" if across == "L" else "right"
    return Laterality(right, said, "bottom" if down == "H" else "top"), tuple(warnings)


def _contradiction(view: str, kind: str) -> str:
    return (
        f"The file contradicts itself: its view is {view}, its PatientOrientation that of {kind} "
        "view. Look at the picture before you trust its sides."
    )


def _leading_letters(orientation: tuple[str, ...]) -> tuple[str, str, bool]:
    """First letter of each direction, and whether the two make sense together."""
    if len(orientation) != 2 or not all(orientation):
        return "", "", False
    across, down = orientation[0][0], orientation[1][0]
    readable = across in _OPPOSITE and down in _OPPOSITE and down not in (across, _OPPOSITE[across])
    return across, down, readable
