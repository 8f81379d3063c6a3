"""What every export says of itself."""

RESEARCH_NOTICE = "Research only. Not for clinical use."
DEMO_NOTICE = (
    "Made with the demo model, which was trained on synthetic radiographs. It is not MedGemma, "
    "and what it says about a real radiograph means nothing."
)


def notices(is_demo: bool) -> tuple[str, ...]:
    """The notices that belong on a result of this kind of model."""
    return (RESEARCH_NOTICE, DEMO_NOTICE) if is_demo else (RESEARCH_NOTICE,)
