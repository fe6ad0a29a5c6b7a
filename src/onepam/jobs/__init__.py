"""What runs by itself beside the front doors."""
