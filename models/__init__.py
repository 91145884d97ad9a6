"""Inference: files in, arrays out. This package never imports `realtime`."""
