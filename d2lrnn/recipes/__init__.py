"""Complete training recipes for specific tasks."""
