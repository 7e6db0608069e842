"""What the vendors' work measures, figure by figure, down to the rows behind each."""
