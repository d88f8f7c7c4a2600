"""The judge: whole clusters in virtual time, under faults, checked at every step."""
