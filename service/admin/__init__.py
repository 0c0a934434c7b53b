"""The admin desk: pages under `/admin`."""
