"""Print what the pure-Python library c3d finds in a file, as one line of JSON.

usage: python read_c3d.py FILE
"""

import json
import sys

import c3d

with open(sys.argv[1], "rb") as file:
    reader = c3d.Reader(file)
    frames = [points.tolist() for _, points, _ in reader.read_frames()]
    told = {
        "rate": float(reader.point_rate),
        "labels": [label.strip() for label in reader.point_labels],
        "units": reader.get("POINT:UNITS").string_value.strip(),
        "screen": [reader.get(f"POINT:{axis}_SCREEN").string_value.strip() for axis in "XY"],
        "points": frames,
    }
print(json.dumps(told))
