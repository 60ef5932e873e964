"""Programs of ours that start a server or prepare one; each runs as the user of its part."""
