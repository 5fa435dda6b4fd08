"""Models behind one protocol: HTTP providers, a scripted one and a replaying one."""
