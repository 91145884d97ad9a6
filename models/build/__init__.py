"""Model files made on this machine: other precisions, checked against FP32, and untrained stand-ins."""
