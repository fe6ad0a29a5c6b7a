"""SSH for the stock client, on asyncssh."""
