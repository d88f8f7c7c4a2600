"""Tests of the simulation's own parts: a judge must be judged first."""
