"""THE CONTRACT between the services, with agencies and with everyone who reads the log. pydantic only.

`base` holds the bricks, `codes` the code lists; `registry`, `pairing` and `interventions` the commands and events of
the service of that name; `catalog` finds a message by its type; `envelope` says how an event stands in the log and
`topics` where; `progress` is what the relays say of themselves; `asyncapi` writes all of that down.
"""
