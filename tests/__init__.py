"""Tests of service-registry."""
