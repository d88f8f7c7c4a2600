"""Tests of leases: lease time, stamps, deadlines, the keeper, the renewer."""
