"""`python -m deploy.local`, which the launcher `siao` becomes once its environment is made."""

from deploy.local.cli import main

main()
