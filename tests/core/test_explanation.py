"""An explanation as a table and as a picture."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medgemma_dash.core.explanation import explanation_from_pandas
from medgemma_dash.core.target import Margin, Target
from medgemma_dash.services.explaining.explain import explain
from tests.random_answers import case
from tests.services.makers import (
    make_answer,
    make_answer_of_two,
    make_explanation,
    make_target,
    same_explanation,
)


@pytest.fixture(scope="module")
def explanation():
    found = case("image pushed back by a text in front")
    rival = found.answer.tokens[1].runners_up[0]
    return explain(found.model, found.answer, token=1, against=rival.text)


MARGIN = Target("margin", (0,), "Yes rather than No", margin=Margin((4,), (7, 9), "Yes", "No"))


def full_explanation(answer, target):
    """With everything that an explanation can hold."""
    random = np.random.default_rng(0)
    fine = tuple(random.random((4, 6), np.float32) for _ in answer.images)
    found = make_explanation(answer, target)
    return replace(found, fine_images=fine, completeness_gap=-0.1)


def test_a_table_loses_nothing(explanation):
    one, two = make_answer(), make_answer_of_two()
    for given in (
        explanation,
        full_explanation(one, make_target(one, 1)),
        full_explanation(two, MARGIN),
    ):
        same_explanation(explanation_from_pandas(given.to_pandas()), given)


def test_a_table_of_one_image_from_before_there_could_be_several_is_read(explanation):
    one = make_answer()
    given = full_explanation(one, make_target(one, 1))
    frame = given.to_pandas().drop(columns="image")
    del frame.attrs["fine_images"], frame.attrs["target"]["margin"]
    frame.attrs["fine"] = given.fine.tolist()
    assert "earlier_images" not in frame.attrs["provenance"]
    same_explanation(explanation_from_pandas(frame), given)
    frame.attrs["fine"] = None
    assert explanation_from_pandas(frame).fine is None


@pytest.mark.parametrize(
    "folder", ["/home/jane.doe/models/medgemma", "C:\\Users\\jane.doe\\medgemma", "~/doe/medgemma"]
)
def test_a_table_names_the_model_and_not_the_folder_it_came_from(explanation, folder):
    provenance = replace(explanation.provenance, model_name=folder)
    frame = replace(explanation, provenance=provenance).to_pandas()
    assert "doe" not in repr(frame.attrs)
    assert explanation_from_pandas(frame).provenance.model_name == "medgemma"


def test_the_table_says_where_each_soft_token_lies(explanation):
    two = make_answer_of_two()
    for given in (explanation, make_explanation(two, make_target(two, 1))):
        soft = given.to_pandas().dropna()
        assert len(soft) == sum(image.size for image in given.images)
        for _, line in soft.iterrows():
            image = given.images[int(line["image"])]
            assert np.float32(line["relevance"]) == image[int(line["row"]), int(line["col"])]


def test_another_table_is_refused_with_what_is_missing(explanation):
    with pytest.raises(ValueError, match=r"provenance.*is missing"):
        explanation_from_pandas(pd.DataFrame({"relevance": [1.0]}))


def test_jupyter_gets_all_images_side_by_side_on_one_scale():
    two = make_answer_of_two()
    films = tuple(image.radiograph for image in two.images)
    given = make_explanation(two, make_target(two, 1))
    images = (given.images[0] * np.float32(0.1), given.images[1])
    given = replace(given, images=images, radiographs=films)
    assert given.radiograph is films[1]
    assert given.image_names == ("image 1 of 2", "image 2 of 2")
    svg = ElementTree.fromstring(  # noqa: S314  our own text
        given._repr_mimebundle_()["image/svg+xml"]
    )
    first, second = svg
    assert [one.attrib["aria-label"][-12:] for one in (first, second)] == list(given.image_names)
    assert int(second.attrib["x"]) >= int(first.attrib["width"])
    strongest = [
        max(float(cell.attrib["opacity"]) for cell in one if cell.tag.endswith("rect"))
        for one in (first, second)
    ]
    peak = max(image.max() for image in images)
    assert strongest == pytest.approx([0.75 * image.max() / peak for image in images], abs=1e-3)
    with pytest.raises(ValueError, match="a radiograph for each"):
        replace(given, radiographs=films[:1])


def test_jupyter_gets_a_picture_of_the_map(explanation):
    bundle = explanation._repr_mimebundle_(include=None, exclude=None)
    svg = ElementTree.fromstring(bundle["image/svg+xml"])  # noqa: S314  our own text
    cells = [one for one in svg if one.tag.endswith("rect")]
    values = explanation.image.clip(0)
    assert len(cells) == int((values >= 0.02 * values.max()).sum())
    assert explanation.method in bundle["text/plain"]
