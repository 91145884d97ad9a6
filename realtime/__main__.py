"""`python -m realtime`."""

from realtime.cli import main

raise SystemExit(main())
