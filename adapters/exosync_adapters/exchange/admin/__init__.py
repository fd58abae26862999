"""Asking Microsoft: tokens, commands with patience, what their answers mean, message traces."""
