"""Tables as spreadsheets and their makers write them, and what is wrong with others."""

import codecs
import logging
import time

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medgemma_dash.core.errors import TableError
from medgemma_dash.services.datasets.questions.images import ImagePlaces
from medgemma_dash.services.datasets.questions.rows import checked_rows
from medgemma_dash.services.datasets.questions.table import read_table
from medgemma_dash.services.datasets.questions.truth import truth_of
from medgemma_dash.services.questions.plan import OWN_COLUMNS

TEXT = 'image_path,question,correct_answer,site\na.png,"Œdème, or none?",no,Köln\n'


def read(path):
    return read_table(path, OWN_COLUMNS)


def written(tmp_path, data):
    path = tmp_path / "table"
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


def images(tmp_path, *names):
    for name in names:
        place = tmp_path / "images" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"not opened")
    return ImagePlaces(tmp_path / "images")


def checked(tmp_path, text, *names, **options):
    places = images(tmp_path, "a.png", *names)
    table = read(written(tmp_path, text))
    return list(checked_rows(table, lambda _, cells: places.find(cells), **options))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.replace("\n", "\r\n").encode(), "utf-8"),
        (TEXT.replace(",", ";").replace("Œdème;", "Œdème,").encode("cp1252"), "cp1252"),
        (TEXT.replace(",", "\t").replace("Œdème\t", "Œdème,").encode("utf-16"), "utf-16"),
        (b"sep=,\r\n" + TEXT.encode(), "utf-8"),
    ],
)
def test_every_encoding_and_delimiter_gives_the_same_table(data, encoding, tmp_path):
    found, plain = read(written(tmp_path, data)), read(written(tmp_path, TEXT))
    assert read(written(tmp_path, data)).encoding == encoding
    assert found.columns == ("image_path", "question", "correct_answer", "site")
    assert found.rows == (("a.png", "Œdème, or none?", "no", "Köln"),)
    assert found.digest == plain.digest


def test_parquet_numbers_are_the_texts_that_they_were(tmp_path):
    frame = pd.DataFrame(
        {
            "subject_id": [10000032.0, None], "study_id": [50414267, 3], "question": ["A?", "B?"],
            "label": [True, False], "weight": [0.25, 1.0],
        }
    )  # fmt: skip
    frame.to_parquet(tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet")
    assert found.columns == ("subject_id", "study_id", "question", "correct_answer", "weight")
    assert found.rows == (
        ("10000032", "50414267", "A?", "True", "0.25"),
        ("", "3", "B?", "False", "1"),
    )


def test_parquet_columns_that_are_there_twice_are_said(tmp_path):
    texts = [pa.array(["a"])] * 3
    pq.write_table(pa.Table.from_arrays(texts, ["question", "question", "image"]), tmp_path / "t")
    with pytest.raises(TableError, match="two columns of one name"):
        read(tmp_path / "t")


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("ImagePath,question,ground_truth", "image_path,question,correct_answer"),
        ("image,Question,label", "image_path,question,correct_answer"),
        ("path,QUESTION,answer", "image_path,question,correct_answer"),
        ("image_path,question,correct_answer,answer",
         "image_path,question,correct_answer,input_answer"),
        ("image_path,question,problem,viewposition",
         "image_path,question,input_problem,ViewPosition"),
        (",image_path,question,", "unnamed_0,image_path,question,unnamed_3"),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_aliases(header, columns, tmp_path):
    assert ",".join(read(written(tmp_path, header + "\n")).columns) == columns


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"image_path,prompt\na,b\n", "no column `question`"),
        (b"question,answer\na,b\n", "which radiograph"),
        (b"image,question,question\n", "2 columns for 'question'"),
        (b"image,path,question\n", "2 columns for 'image_path': 'image', 'path'"),
        (b"image,question,site,site\n", "2 columns for 'site'"),
        (b'image,question\na.png,"Open\nb.png,Q?\n', "from line 3 on: a quotation mark"),
        (b"image,question\n\x81\x8d,?\n", "no text in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text in UTF-8"),
        (b"PK\x03\x04more", "a workbook"),
        (b"PAR1 and no more", "^The file is no Parquet table"),
    ],
)
def test_what_is_no_table_of_questions_is_said(data, reason, tmp_path):
    with pytest.raises(TableError, match=reason):
        read(written(tmp_path, data))


def test_a_table_that_is_not_there_is_said(tmp_path):
    with pytest.raises(TableError, match="No such file"):
        read(tmp_path / "nowhere.csv")


def test_each_row_has_its_own_problem_and_the_others_are_asked(tmp_path):
    text = (
        "image_path,question,correct_answer\n"
        "a.png,Effusion?,Yes\n"
        "b.png,Effusion?,no\n"
        "a.png,,no\n"
        "a.png,Effusion?,maybe\n"
        "a.png,Effusion?,\n"
        "a.png,Effusion, or none?,no\n"
        "\n"
        "../a.png,Effusion?,1\n"
        "a.png\n"
        "a.png,Nodule?,0,,\n"
        ",Nodule?,0\n"
    )
    rows = checked(tmp_path, text)
    assert [row.row for row in rows] == list(range(10))
    assert [(row.can_be_asked, row.truth, row.problem[:34]) for row in rows] == [
        (True, "yes", ""),
        (False, "no", "There is no such image in the fold"),
        (False, "no", "The question is empty."),
        (True, "", "The correct answer is neither yes "),
        (True, "", "The correct answer is not given."),
        (False, "", "The row has 4 cells and the table "),
        (False, "yes", "The image's path leads out of the "),
        (False, "", "The question is empty. The correct"),
        (True, "no", ""),
        (False, "no", "The row says no image: neither a p"),
    ]


def test_mimic_images_are_found_from_their_ids(tmp_path):
    dicom = "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014"
    place = f"files/p10/p10000032/s50414267/{dicom}.jpg"
    other = "files/p11/p11000001/s1/one.jpg"
    text = (
        "subject_id,study_id,dicom_id,question,ImagePath\n"
        f"10000032,50414267,{dicom},Q?,\n"
        f"p10000032.0,s50414267,{dicom},Q?,\n"
        f"10000032,50414267,{dicom},Q?,/elsewhere/{place}\n"
        f"10000032,50414267,,Q?,\n"
        "11000001,1,,Q?,\n"
        f"11000001,1,{dicom},Q?,\n"
        "../../x,1,..,Q?,\n"
        f",,,Q?,images/{place}\n"
    )
    rows = checked(tmp_path, text, place, place.replace("02aa", "03bb"), other)
    assert [row.image or row.problem for row in rows] == [
        place,
        place,
        place,
        "The study has 2 images. Say by `dicom_id` which is meant.",
        other,
        "There is no such image in the folder.",
        "An id of the row is none: it holds other signs than an id's.",
        place,
    ]
    assert rows[0].patient == "10000032"
    inside = ImagePlaces(tmp_path / "images" / "files")
    assert inside.find(rows[0].cells) == place.removeprefix("files/")


def test_phrasings_are_told_apart(tmp_path):
    text = (
        "image,question,baseline_question,strategy,question_variant\n"
        "a.png,Is X there?,Is X there?,,\n"
        "a.png,X?,Is X there?,register shift,\n"
        "a.png,Any X?,Is X there?,Voice Change,3\n"
        "a.png,Is X there?,,synonym,Is the X there?\n"
    )
    rows = checked(tmp_path, text, withheld=("voice change",))
    assert [(row.phrasing, row.asked, row.baseline_question) for row in rows] == [
        ("baseline", "Is X there?", "Is X there?"),
        ("shown", "X?", "Is X there?"),
        ("withheld", "Any X?", "Is X there?"),
        ("shown", "Is the X there?", "Is X there?"),
    ]


@pytest.mark.parametrize(
    ("text", "truth"),
    [("Yes", "yes"), ("1", "yes"), ("1.0", "yes"), ("TRUE", "yes"), ("no.", "no"), ("0", "no"),
     ("False", "no"), ("No evidence of edema.", "no"), ("-1", "uncertain"), ("", "uncertain"),
     ("normal", "uncertain"), ("B", "uncertain")],
)  # fmt: skip
def test_truths_as_tables_write_them(text, truth):
    assert truth_of(text) == truth


def test_a_hundred_thousand_rows_are_checked_in_seconds_and_nothing_is_logged(tmp_path, caplog):
    lines = [f"p{row},a{row % 20000}.png,Is there an effusion?,yes" for row in range(100_000)]
    lines[7] = "Jane Doe 1970,jane-doe.png,Is there an effusion?,"
    with caplog.at_level(logging.DEBUG):
        began = time.process_time()
        rows = checked(tmp_path, "\n".join(["subject_id,image,question,label", *lines]))
        seconds = time.process_time() - began
    assert len(rows) == 100_000
    assert sum(row.can_be_asked for row in rows) == 0
    assert "Jane" not in caplog.text
    assert not any("Jane" in row.problem or "jane" in row.problem for row in rows)
    # 2 s of an idle core; processor time, so that other processes do not count.
    assert seconds < 10
