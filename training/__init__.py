"""How the shipped reader was trained. Not imported by the package."""
