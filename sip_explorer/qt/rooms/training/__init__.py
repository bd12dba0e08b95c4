"""The Train room: the recipe as a form, the run that works, and the runs that ended."""

from sip_explorer.qt.rooms.training.room import TrainingRoom

__all__ = ["TrainingRoom"]
