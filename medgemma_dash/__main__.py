"""Runs the command line: `python -m medgemma_dash`."""

import sys

from medgemma_dash.cli import main
from medgemma_dash.services.runtime.allocator import keep_freed_memory

keep_freed_memory()
sys.exit(main())
