"""Tell people what a cycle did: on the console, as Markdown, as JSON, as a small chart."""
