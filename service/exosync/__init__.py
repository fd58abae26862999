"""Keeps mail gateways and SPF records in step with Exchange Online's published IP ranges."""

__version__ = "0.1.0"
