"""From a row to an image that the engine has: resolvers, archives, the engine's address."""
