"""Small tables of questions with pictures of noise beside them."""

import csv
import io
import tempfile
from pathlib import Path

from PIL import Image

from medgemma_dash import answer_questions, load_radiograph
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from tests.gemma3_factory import radiograph

FINDINGS = ("pneumonia", "effusion")
STRATEGIES = ("baseline", "register shift", "voice change")
WORDINGS = ("Is there evidence of {}?", "Can you see any signs of {}?", "Has {} been seen?")


def write_set(folder: Path, films: int = 4, **changes: str) -> Path:
    """A table of `films` times three rows in six: of each finding half of the truths are "no".

    changes: a column's text in all rows. The table's path; the pictures are in `images`.
    """
    (folder / "images").mkdir(parents=True)
    rows = []
    for film in range(films):
        name = f"film-{film}.png"
        (folder / "images" / name).write_bytes(_picture(film))
        finding = FINDINGS[film % len(FINDINGS)]
        for index, (strategy, wording) in enumerate(zip(STRATEGIES, WORDINGS, strict=True)):
            rows.append(
                {
                    "image_path": name,
                    "subject_id": f"patient-{film // 2}",
                    "question": wording.format(finding),
                    "correct_answer": "yes" if film < films // 2 else "no",
                    "baseline_question": WORDINGS[0].format(finding),
                    "variant_index": str(index),
                    "strategy": strategy,
                    "withheld": "yes" if strategy == "voice change" else "no",
                }
                | changes
            )
    return write_table(folder / "questions.csv", rows)


def write_table(path: Path, rows: list[dict[str, str]]) -> Path:
    """Rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def answered_set(model) -> Record:
    """The set as this model answers it, with maps."""
    with tempfile.TemporaryDirectory() as place:
        table = write_set(Path(place, "set"))
        images = table.parent / "images"
        return answer_questions(model, table, images=images, maps=True, max_new_tokens=4)


def films_of_set(films: int = 4) -> list[Radiograph]:
    """The pictures of the set."""
    return [load_radiograph(_picture(film)) for film in range(films)]


def _picture(film: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(radiograph(film).pixels).save(buffer, "PNG")
    return buffer.getvalue()
