"""What `realtime bench` measures, one kind a module."""
