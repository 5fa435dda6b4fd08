"""What `execute_ipython_cell` runs inside the container."""
