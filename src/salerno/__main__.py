"""`python -m salerno` is `salerno`."""

from salerno.interfaces.cli import main

main()
