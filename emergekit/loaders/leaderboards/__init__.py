"""What leaderboards and hubs publish."""
