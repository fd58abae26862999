"""What is unusual in a tenant, why it matters, and who mends it."""
