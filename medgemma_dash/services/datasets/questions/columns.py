"""What the columns of a table of questions are called, here and elsewhere."""

from collections import Counter
from collections.abc import Sequence

from medgemma_dash.core.errors import TableError, quoted

# Our name first. A column by our name stands before one by another name, which is then an
# ordinary column: a table of results has its own `answer` beside `correct_answer`.
_NAMES = {
    "study_id": ("StudyID",),
    "dicom_id": (),
    "subject_id": ("patient_id",),
    "question": (),
    "options": (),
    "correct_answer": ("answer", "ground_truth", "label"),
    "image_path": ("ImagePath", "image", "path"),
    "ViewPosition": ("view_position",),
    "baseline_question": (),
    "question_variant": (),
    "variant_index": (),
    "strategy": (),
    "withheld": (),
    "finding": (),
}
KNOWN = tuple(_NAMES)
_MEANT = {name.casefold(): ours for ours, others in _NAMES.items() for name in (ours, *others)}
_PLACE = ("image_path", "dicom_id", "study_id")  # one of them says which radiograph is meant


def named_columns(header: Sequence[str], own: Sequence[str]) -> tuple[str, ...]:
    """The table's columns by our names where they are known, whatever their letter case.

    own: names that results take; a column that is so called and not known gets "input_" in front.
    Raises TableError for a column that is there twice, and where none holds a question or none
    says which radiograph it is about.
    """
    plain = [name.strip() or f"unnamed_{place}" for place, name in enumerate(header)]
    exact = {name for name in plain if name in _NAMES}
    found = []
    for name in plain:
        ours = _MEANT.get(name.casefold())
        if ours is not None and (name == ours or ours not in exact):
            found.append(ours)
        else:
            found.append(f"input_{name}" if name in own else name)
    _check(plain, found)
    return tuple(found)


def knows(header: Sequence[str]) -> int:
    """How many of these are columns that we know."""
    return sum(name.strip().casefold() in _MEANT for name in header)


def _check(given: Sequence[str], found: Sequence[str]) -> None:
    for name, times in Counter(found).items():
        if times > 1:
            same = [one for one, ours in zip(given, found, strict=True) if ours == name]
            raise TableError(
                f"The table has {times} columns for {quoted(name)}: "
                f"{', '.join(map(quoted, same))}. Remove or rename all but one."
            )
    if "question" not in found and "question_variant" not in found:
        raise TableError(
            f"The table has no column `question`. It has {_listed(given)}. Name the column of the "
            "questions so; the delimiter may be a comma, a semicolon or a tab."
        )
    if not any(name in found for name in _PLACE):
        raise TableError(
            f"No column says which radiograph a question is about. The table has {_listed(given)}. "
            "Needed: `image_path` (or ImagePath, image, path), or `dicom_id`, or `study_id` with "
            "`subject_id`."
        )


def _listed(names: Sequence[str]) -> str:
    few = ", ".join(quoted(name) for name in names[:12])
    return few + (", ..." if len(names) > 12 else "")
