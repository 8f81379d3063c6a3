"""Results as files: JSON, NPZ, CSV and PNG.

No export holds patient data, a file name or a path; each says that it is for research only.
"""

from medgemma_dash.core.notices import DEMO_NOTICE, RESEARCH_NOTICE, notices
from medgemma_dash.services.exporting.arrays import relevancy_npz
from medgemma_dash.services.exporting.document import SCHEMA_VERSION, explanation_json
from medgemma_dash.services.exporting.names import download_name
from medgemma_dash.services.exporting.picture import overlay_png
from medgemma_dash.services.exporting.tables import numbers_csv

__all__ = [
    "DEMO_NOTICE",
    "RESEARCH_NOTICE",
    "SCHEMA_VERSION",
    "download_name",
    "explanation_json",
    "notices",
    "numbers_csv",
    "overlay_png",
    "relevancy_npz",
]
