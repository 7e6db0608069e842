"""What is to be expected: dates and spend, scenarios, trade-offs, early warnings."""
