"""The whole log folded into a second schema beside the live one, compared, and put in its place; see run.py."""
