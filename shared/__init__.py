"""What every service builds on: the contract, the event store, the runtime. Never imports `services`."""
