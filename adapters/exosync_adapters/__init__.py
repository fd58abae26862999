"""The targets that come with exosync, each reached through its entry point."""
