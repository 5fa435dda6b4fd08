"""`python -m velora` is the `velora` command."""

from velora.cli.main import main

main()
