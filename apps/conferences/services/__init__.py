"""Everything that writes plans and conferences, apart from what the switchboard observes."""
