"""Another face, live: from a camera to a virtual camera, a browser or a file."""

__version__ = "0.1.0"
