"""The production stack: its files are checked, and what can run without containers runs."""
