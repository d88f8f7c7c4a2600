"""Tests without sockets, sleeps and patches."""
