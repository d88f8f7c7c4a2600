"""The parts of the benchmarks that measure nothing: their sums, files and pages."""
