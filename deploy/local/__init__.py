"""The whole stack on one machine, in one folder: `./siao demo | up | status | down | logs | agency add | test`."""
