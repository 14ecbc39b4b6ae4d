"""The hub's backups: one encrypted file that holds all of a hub, and a hub made from such a file again."""
