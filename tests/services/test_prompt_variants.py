"""Other phrasings by rule: well-formed, each once, and none where no rule applies."""

import pytest

from medgemma_dash.core.errors import PromptError
from medgemma_dash.services.prompts.plan import prompts_of
from medgemma_dash.services.prompts.variants import STRATEGIES, variants_of

MADE = {
    "Is there evidence of pneumonia in this chest radiograph?": {
        "technical": "Radiological assessment: Is there evidence of pneumonia in this chest "
        "radiograph?",
        "plain": "Can you see any signs of lung infection in this X-ray?",
        "phrasing variation": "Does this chest radiograph show evidence of pneumonia?",
        "synonym replacement": "Is there evidence of pulmonary infection in this chest radiograph?",
        "clause reordering": "In this chest radiograph, is there evidence of pneumonia?",
        "register shift": "Does it look like there is a lung infection in this X-ray?",
        "voice change": "Can evidence of pneumonia be seen in this chest radiograph?",
    },
    "Can you see any signs of fluid around the lungs in this X-ray?": {
        "technical": "Radiological assessment: Is there evidence of effusion in this chest "
        "radiograph?",
        "phrasing variation": "Are there any signs of fluid around the lungs in this X-ray?",
        "synonym replacement": "Can you see any signs of fluid around the lungs in this "
        "radiograph?",
        "clause reordering": "In this X-ray, can you see any signs of fluid around the lungs?",
        "register shift": "Is there radiographic evidence of effusion?",
        "voice change": "Can any signs of fluid around the lungs be seen in this X-ray?",
    },
    "Pneumothorax?": {
        "technical": "Radiological assessment: Is there evidence of pneumothorax in this chest "
        "radiograph?",
        "plain": "Can you see any signs of collapsed lung in this X-ray?",
        "phrasing variation": "Is there evidence of pneumothorax?",
        "synonym replacement": "Air in the pleural space?",
        "register shift": "Does it look like there is a collapsed lung?",
    },
    "Does this chest radiograph show a nodule?": {
        "technical": "Radiological assessment: Is there evidence of a nodule in this chest "
        "radiograph?",
        "plain": "Can you see any signs of a spot in the lung in this X-ray?",
        "phrasing variation": "Is there a nodule in this chest radiograph?",
        "synonym replacement": "Does this chest radiograph show a pulmonary nodule?",
        "register shift": "Does it look like there is a spot in the lung in this X-ray?",
        "voice change": "Can a nodule be seen in this chest radiograph?",
    },
    "In this chest X-ray, is there a pleural effusion?": {
        "technical": "Radiological assessment: Is there evidence of a pleural effusion in this "
        "chest radiograph?",
        "plain": "Can you see any signs of fluid around the lungs in this X-ray?",
        "phrasing variation": "Does this chest X-ray show a pleural effusion?",
        "synonym replacement": "In this chest radiograph, is there a pleural effusion?",
        "clause reordering": "Is there a pleural effusion in this chest X-ray?",
        "register shift": "Does it look like there is fluid around the lungs in this X-ray?",
        "voice change": "Can a pleural effusion be seen in this chest X-ray?",
    },
    "Are there any rib fractures on this film?": {
        "technical": "Radiological assessment: Is there evidence of rib fractures in this chest "
        "radiograph?",
        "phrasing variation": "Does this film show any rib fractures?",
        "clause reordering": "On this film, are there any rib fractures?",
        "voice change": "Can any rib fractures be seen on this film?",
    },
    "Can cardiomegaly be seen in this image?": {
        "technical": "Radiological assessment: Is there evidence of cardiomegaly in this chest "
        "radiograph?",
        "plain": "Can you see any signs of enlarged heart in this X-ray?",
        "phrasing variation": "Is there cardiomegaly in this image?",
        "synonym replacement": "Can cardiac enlargement be seen in this image?",
        "clause reordering": "In this image, can cardiomegaly be seen?",
        "register shift": "Does it look like there is an enlarged heart in this X-ray?",
        "voice change": "Do you see cardiomegaly in this image?",
    },
    "Is the heart enlarged?": {
        "technical": "Radiological assessment: Is there evidence of cardiomegaly in this chest "
        "radiograph?",
        "plain": "Can you see any signs of enlarged heart in this X-ray?",
        "register shift": "Is there radiographic evidence of cardiomegaly?",
    },
}


@pytest.mark.parametrize("question", MADE)
def test_the_question_in_other_words(question):
    found = {one.strategy: one.prompt for one in variants_of(question)}
    assert found == MADE[question]
    assert question not in found.values()
    assert set(found) <= set(STRATEGIES)


@pytest.mark.parametrize(
    "question",
    [
        "Where is the consolidation?",
        "Describe this chest X-ray.",
        "Is there pneumonia and is it severe?",
        "Is there likely pneumonia?",
        "Is there no pneumonia?",
        "Is the trachea visible?",
        "Is there pneumonia visible in the lung?",
        "Hello?",
        "Gibt es eine Pneumonie?",
        "?",
    ],
)
def test_no_rule_no_variant(question):
    assert variants_of(question) == ()


def test_the_technical_version_itself_is_not_made_again():
    (technical,) = [one for one in variants_of("Pneumonia?") if one.strategy == "technical"]
    again = variants_of(technical.prompt)
    assert "technical" not in {one.strategy for one in again}
    texts = [one.prompt for one in again]
    assert len(set(texts)) == len(texts) > 4


def test_own_variants_are_named_and_stand_behind_the_question():
    found = prompts_of(" Fluid? ", ["Any fluid?", "fluid?"])
    assert [(one.strategy, one.prompt) for one in found] == [
        ("baseline", "Fluid?"),
        ("own 1", "Any fluid?"),
        ("own 2", "fluid?"),
    ]
    named = prompts_of("Fluid?", {"shouted": "FLUID?"})
    assert [one.strategy for one in named] == ["baseline", "shouted"]
    assert len(prompts_of("Is there fluid?", None)) > 1
    assert len(prompts_of("Fluid?", ())) == 1


@pytest.mark.parametrize(
    ("question", "variants", "reason"),
    [
        ("", None, "question is empty"),
        ("Fluid?", ["Any fluid?", "  "], "variant 'own 2' is empty"),
        ("Fluid?", ["Any  fluid?", "Any fluid?"], "'Any fluid.' is the same as the own 1"),
        ("Fluid?", {"mine": "Fluid? "}, "the same as the baseline"),
        ("Fluid?", {"baseline": "Any fluid?"}, "'baseline' is given twice"),
        ("Fluid?", {" ": "Any fluid?"}, "no name"),
        ("Fluid?", {"mine": 3}, "empty"),
    ],
)
def test_empty_and_double_variants_are_refused(question, variants, reason):
    with pytest.raises(PromptError, match=reason):
        prompts_of(question, variants)
