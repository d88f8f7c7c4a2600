"""What earlier versions wrote: commands, outcomes and snapshots, kept as files.

A log and a snapshot outlive the version that wrote them, so every later version must
read these. A sample is never changed or removed; a new command or schema adds some.
"""
