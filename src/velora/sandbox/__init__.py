"""Containers and their likenesses behind one protocol, and the persistent shell in them."""
