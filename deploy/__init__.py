"""How Siao is set up and run: on one machine (`local/`), in containers (`Dockerfile`, `compose.py`)."""
