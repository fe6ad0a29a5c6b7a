"""This host: its disk, its doors, and the commands that need no console."""
