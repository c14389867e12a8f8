"""How a write service takes commands: `reading` a body, deciding a batch in one transaction (`desk`), HTTP (`http`)."""
