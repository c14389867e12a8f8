"""The demonstration: Khon Kaen's programme as made-up records, and agencies that publish them as anyone would.

A client of the public HTTP API and nothing else. `province` makes the records from a seed, `entries` the commands,
`publish` sends them with the agencies' tokens, `table` prints what the gateway then answers.
"""
