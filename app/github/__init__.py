"""GitHub as a client sees it: addresses, the REST API, and git over HTTPS."""
