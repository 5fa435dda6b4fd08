"""Real servers on loopback that tests and benchmarks talk to."""
