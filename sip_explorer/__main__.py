"""``python -m sip_explorer``: the same as ``sip-explorer`` (and what ``accelerate launch -m`` starts)."""

import sys

from sip_explorer.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
