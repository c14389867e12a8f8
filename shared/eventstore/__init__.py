"""The event store: append with expected versions, load, and (`relay`) publish. One PostgreSQL schema a service."""
