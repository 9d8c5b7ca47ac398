"""Print what OpenSim finds in a TRC file, as one line of JSON.

usage: python read_trc.py FILE  (needs opensim)
"""

import json
import sys

import opensim

table = opensim.TimeSeriesTableVec3(sys.argv[1])
flat = table.flatten()  # kept, for its matrix is a view that does not hold it
told = {
    "labels": list(table.getColumnLabels()),
    "units": table.getTableMetaDataString("Units"),
    "rate": float(table.getTableMetaDataString("DataRate")),
    "seconds": list(table.getIndependentColumn()),
    "points": flat.getMatrix().to_numpy().tolist(),
}
print(json.dumps(told))
