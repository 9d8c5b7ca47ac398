"""Speed, latency and memory of this machine: of the whole line, of a live run, of every engine in every runtime.

The parts: `headless` (the whole line as fast as it goes), `live` (paced as a camera, ages at the wire), `matrix`
(engines alone, each in a process of its own); `report` puts them together, and `lines`, `markdown`, `plot` and
`compare` show it.
"""
