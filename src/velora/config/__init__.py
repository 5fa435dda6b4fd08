"""Configuration: `settings` holds the typed sections, `loader` turns config.toml into them."""
