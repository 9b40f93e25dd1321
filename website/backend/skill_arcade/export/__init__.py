"""Exports recordings in the formats of other tools. `skill-arcade export` runs it; see website/docs/publish.md.

An export has a plan (its episodes, divided into parts) and the parts. One process writes a part, which then appears
atomically and has the same bytes on every machine. An export can therefore be stopped, resumed and divided into
shards.
"""
