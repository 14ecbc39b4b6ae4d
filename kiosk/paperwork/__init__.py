"""The register on paper: its columns, its pages, and the command that prints them."""
