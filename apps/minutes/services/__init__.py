"""What people do to minutes."""
