"""The server's process: Streamlit's command line, which Ctrl-C ends without a traceback."""

import signal
import sys

from streamlit.web import cli

if __name__ == "__main__":
    # The web server handles the signal while it runs, and puts back what was there before. Python's
    # own handler would raise KeyboardInterrupt in whatever comes last.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(cli.main(prog_name="streamlit"))
