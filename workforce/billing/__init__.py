"""What work costs by the contracts, what was invoiced for it, and what is still owed."""
