"""What people are given to read: reviews, the portfolio, the dashboard, documents."""
