"""Attempts through their stages: image, sandbox, agent, patch, grade."""
