"""Take recordings away, whole, in the formats of others. `skill-arcade export` runs it; see website/docs/publish.md.

An export is a plan (which episodes, in which parts) and its parts. A part is made by one process, is put in place when
it is whole, and is the same bytes whoever makes it: so an export can be stopped, taken up again, and divided.
"""
