"""What exports and pages say of themselves."""

RESEARCH_NOTICE = "Research only. Not for clinical use."
DEMO_NOTICE = (
    "Made with the demo model, which was trained on synthetic radiographs. It is not MedGemma, "
    "and what it says about a real radiograph means nothing."
)

DEMO_ON_UPLOAD = (
    "The demo model was trained on synthetic radiographs: what it says means nothing on a real "
    "radiograph."
)


def notices(is_demo: bool) -> tuple[str, ...]:
    """The notices that belong on a result of this kind of model."""
    return (RESEARCH_NOTICE, DEMO_NOTICE) if is_demo else (RESEARCH_NOTICE,)
