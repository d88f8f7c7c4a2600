"""How long registrations live: lease time, deadlines, the keeper, the renewer."""
