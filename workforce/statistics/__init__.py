"""Statistics of the vendors' work: pure functions of what was counted; each file one question."""
