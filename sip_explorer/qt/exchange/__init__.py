"""The dialogues that say what an import or export of masks would do, before it is done."""
