"""The registry as it ships, under real faults: beds, faults, clients, checkers."""
