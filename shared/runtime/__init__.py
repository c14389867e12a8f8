"""What a running process needs and no rule of the domain does: settings, logs, connections, tokens, HTTP."""
