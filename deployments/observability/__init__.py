"""What the loop tells of itself: metrics for Prometheus, and lines of log."""
