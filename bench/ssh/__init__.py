"""SSH through the recorded gateway against OpenSSH alone: bulk throughput and the latency of one command."""
