"""Tests of what composes, measures and shows a run under faults."""
