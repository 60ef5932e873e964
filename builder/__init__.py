"""Build the image; runs on the host, never inside the image."""
