"""Runs the command line: `python -m medgemma_dash`."""

import sys

from medgemma_dash.cli import main

sys.exit(main())
