"""An explanation as a table and as a picture."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medgemma_dash.core.explanation import explanation_from_pandas
from medgemma_dash.services.explaining.explain import explain
from tests.random_answers import case


@pytest.fixture(scope="module")
def explanation():
    found = case("image pushed back by a text in front")
    rival = found.answer.tokens[1].runners_up[0]
    return explain(found.model, found.answer, token=1, against=rival.text)


def test_a_table_loses_nothing(explanation):
    again = explanation_from_pandas(explanation.to_pandas())
    for name in ("image", "row", "layers"):
        np.testing.assert_array_equal(getattr(again, name), getattr(explanation, name))
        assert getattr(again, name).dtype == np.float32
    for name in ("method", "target", "signed", "provenance", "completeness_gap"):
        assert getattr(again, name) == getattr(explanation, name)


@pytest.mark.parametrize(
    "folder", ["/home/jane.doe/models/medgemma", "C:\\Users\\jane.doe\\medgemma", "~/doe/medgemma"]
)
def test_a_table_names_the_model_and_not_the_folder_it_came_from(explanation, folder):
    provenance = replace(explanation.provenance, model_name=folder)
    frame = replace(explanation, provenance=provenance).to_pandas()
    assert "doe" not in repr(frame.attrs)
    assert explanation_from_pandas(frame).provenance.model_name == "medgemma"


def test_the_table_says_where_each_soft_token_lies(explanation):
    frame = explanation.to_pandas()
    rows, cols = explanation.image.shape
    image = frame.dropna()
    assert len(image) == rows * cols
    for _, line in image.iterrows():
        value = explanation.image[int(line["row"]), int(line["col"])]
        assert np.float32(line["relevance"]) == value


def test_another_table_is_refused_with_what_is_missing(explanation):
    with pytest.raises(ValueError, match=r"provenance.*is missing"):
        explanation_from_pandas(pd.DataFrame({"relevance": [1.0]}))


def test_jupyter_gets_a_picture_of_the_map(explanation):
    bundle = explanation._repr_mimebundle_(include=None, exclude=None)
    svg = ElementTree.fromstring(bundle["image/svg+xml"])  # noqa: S314  our own text
    cells = [one for one in svg if one.tag.endswith("rect")]
    values = explanation.image.clip(0)
    assert len(cells) == int((values >= 0.02 * values.max()).sum())
    assert explanation.method in bundle["text/plain"]
