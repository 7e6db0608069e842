"""A campaign against the whole loop: real servers, simulated people, and faults from a seed."""
