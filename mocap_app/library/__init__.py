"""The recordings of a folder: listed, named, cut, repaired and put away. No Qt.

recording.py   what a recording is, from the names of its files
headers.py     what a take's file says of itself, without reading its motion
repair.py      takes whose performers were taken for one another
names.py       names a recording may have
steps.py       changes that can be undone
library.py     all of it together
"""

from .glance import Glance, glance
from .library import Library
from .recording import PersonFile, Recording, scan

__all__ = ["Glance", "Library", "PersonFile", "Recording", "glance", "scan"]
