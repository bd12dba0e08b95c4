"""Paint on a workspace without end and print a line for each acknowledged stroke; run by a test.

Usage: paint_until_killed.py WORKSPACE SEED
"""

import sys

from toy_workspaces import endless_strokes

from sip_explorer.workspace import Workspace

workspace = Workspace.open(sys.argv[1])
assert not workspace.read_only, workspace.lock_holder
waiting = []
for number, (image, patch, _) in enumerate(endless_strokes(int(sys.argv[2]), images=4, side=16)):
    waiting.append(workspace.commit_stroke(image, "Ada", patch, "brush"))
    if number % 3 == 2:  # a hand is often ahead of the disk
        for future in waiting:
            future.result()
            print("saved", flush=True)
        waiting.clear()
